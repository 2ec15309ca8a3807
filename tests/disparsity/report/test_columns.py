"""Every column of a real table is written down, with the unit that its name promises."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.hwcost.summary import Compressed, summarise
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.report.columns import COLUMNS, GROUPS, column, grouped

UNITS = {"_bytes": "B", "_bits": "bit", "_percent": "%", "_pj": "pJ", "_um2": "µm²", "_per_byte": "MAC/B"}


@pytest.fixture(scope="module")
def names() -> list[str]:
    workload = trace_workload(nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU()), (torch.zeros(1, 1, 4, 4),))
    rows = summarise(workload, Compressed(workload=workload), Machine(profile=load_profile()))["layers"]
    assert all(list(row) == list(rows[0]) for row in rows)
    return list(rows[0])


def test_the_registry_and_the_table_have_the_same_columns(names: list[str]) -> None:
    assert set(names) == set(COLUMNS)


def test_units_follow_from_names(names: list[str]) -> None:
    for name in names:
        expected = next((unit for end, unit in UNITS.items() if name.endswith(end)), "")
        assert column(name).unit.startswith(expected), name
        assert bool(column(name).unit) == bool(expected) or name == "attainable_macs_per_cycle", name


def test_titles_are_unique_within_a_group_and_groups_are_known(names: list[str]) -> None:
    labels = [(column(name).group, column(name).label) for name in names]
    assert len(set(labels)) == len(labels)
    assert {group for group, _ in labels} == set(GROUPS)


def test_groups_hold_every_column_once_and_an_unknown_one_with_the_first() -> None:
    found = grouped(["mine", "dram_bytes", "call", "name", "cycles"])
    assert found == {"layer": ["name", "call", "mine"], "time": ["cycles"], "traffic": ["dram_bytes"]}
    assert (column("a_b").label, column("a_b").explanation) == ("a b", "")


def test_a_source_is_part_of_the_explanation() -> None:
    assert COLUMNS["lane_utilization"].explanation.endswith("Source: Parashar et al., SCNN, ISCA 2017, section V")
