"""Lanes in lock-step against a loop over every group of filters."""

from __future__ import annotations

import dataclasses

import pytest

from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.hwcost.sections.sparse_execution import sparse_execution_columns, sparse_execution_section

MACHINE = Machine(profile=load_profile(), lanes=4)


def test_utilization_and_cycles_by_hand(anchors) -> None:
    """16 filters of 27 weights on 4 lanes: in order every group has one full filter, sorted only the first has."""
    call = dataclasses.replace(anchors["L1"], nnz=4 * 27, nnz_per_filter=(27, 0, 0, 0) * 4)
    row = sparse_execution_columns(call, MACHINE)
    assert row["lane_utilization"] == 0.25
    assert row["balanced_lane_utilization"] == 1.0
    assert (row["skipped_cycles"], row["balanced_skipped_cycles"]) == (4187, 1047)  # ceil(4187 / 4)
    found = sparse_execution_section([call], MACHINE)
    assert found["cycles"] == {"dense": 4187, "gated": 4187, "skipped": 4187, "skipped_balanced": 1047}
    assert found["mac_energy_pj"]["gated"] == pytest.approx(found["mac_energy_pj"]["dense"] / 4)


def test_the_networks_utilization_weighs_every_layer_by_its_work(anchors) -> None:
    thin = dataclasses.replace(anchors["L1"], nnz=4 * 27, nnz_per_filter=(27, 0, 0, 0) * 4)
    full = dataclasses.replace(anchors["L3"], nnz=32 * 288, nnz_per_filter=(288,) * 32)
    found = sparse_execution_section([thin, full], MACHINE)
    done = 4 * 27 * 2048 + 32 * 288 * 512
    steps = 4 * (4 * 27 * 2048 + 8 * 288 * 512)
    assert found["lane_utilization"]["in_order"] == pytest.approx(done / steps)


def test_parts_without_weights_are_unknown(anchors) -> None:
    part = dataclasses.replace(anchors["L1"], weight_count=0, nnz=0, nnz_per_filter=())
    assert set(sparse_execution_columns(part, MACHINE).values()) == {None}
    assert sparse_execution_section([part], MACHINE)["lane_utilization"] == {"in_order": None, "balanced": None}
