"""The checker accepts what the interface allows and names the field of everything else."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from disparsity.base.errors import CorruptArtefactError
from disparsity.report.schema import REPORT, Optional, empty_report, section, validate


def change(report: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        report = report[int(parent)] if isinstance(report, list) else report[parent]
    report[last] = value


def test_the_sample_and_the_empty_report_are_valid(report: dict[str, Any]) -> None:
    validate(report)
    validate(json.loads(json.dumps(report)))
    validate(empty_report())


def test_the_skeleton_knows_nothing() -> None:
    report = empty_report()
    assert (report["schema"], report["version"]) == ("disparsity.report", 1)
    assert report["memory"]["packed_file_bytes"] is None
    assert report["operations"]["reduction_percent"] == {"macs": None, "bops": None}
    assert report["layers"] == report["accuracy"] == []
    assert report["memory"]["formats"] == {}


def test_the_sections_are_those_of_the_interface() -> None:
    assert list(REPORT) == [
        "schema", "version", "network", "accuracy", "memory", "operations", "hardware", "latency",
        "measured_latency", "machine", "traffic",
        "roofline", "sparse_execution", "effectual", "accumulators", "multipliers", "activations",
        "coverage", "layers", "settings",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema", "other"), ("version", 2), ("version", None), ("network.parameters", 1.5),
        ("network.parameters", True),
        ("network.input_size", [544]), ("memory.dense_bytes", math.nan), ("memory.dense_bytes", "12"),
        ("memory.reduction_percent", 100.5), ("memory.formats", []), ("operations.bops.uniq", 3),
        ("hardware.mac_energy_pj", None), ("accuracy.0.stage", "final"), ("accuracy.0.d1_percent", -1.0),
        ("traffic.dram_bytes.dense", "12"), ("effectual.cropped", 1), ("machine", []),
        ("multipliers.shift_only_percent", 101.0),
        ("accuracy.0.data", None), ("coverage.unmodelled", "none"), ("settings.seed", "0"),
        ("layers", None),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_name(report: dict[str, Any], path: str, value: Any) -> None:
    change(report, path, value)
    with pytest.raises(CorruptArtefactError) as caught:
        validate(report)
    name = path.replace(".0", "[0]")
    assert str(caught.value).startswith(f"report.{name}")
    assert "expected" in str(caught.value)


def test_a_missing_field_is_named(report: dict[str, Any]) -> None:
    del report["hardware"]["profile"]
    with pytest.raises(CorruptArtefactError, match=r"report\.hardware: the field 'profile' is missing"):
        validate(report)


def test_new_fields_and_growth_are_allowed(report: dict[str, Any]) -> None:
    report["memory"] |= {"reduction_percent": -3.0, "a_new_field": object()}
    validate(report)


def test_every_field_may_be_unknown_where_a_figure_belongs(report: dict[str, Any], tmp_path: Path) -> None:
    for path in ("memory.packed_file_bytes", "latency.utilization", "settings.steps", "accuracy.0.epe_px"):
        change(report, path, None)
    validate(report)


def test_sections_that_older_reports_lack_may_be_absent_or_null(report: dict[str, Any]) -> None:
    optional = [name for name, description in REPORT.items() if isinstance(description, Optional)]
    assert "traffic" in optional
    for name in optional:
        report[name] = None
        validate(report)
        del report[name]
        validate(report)
        assert section(report, name) == section({name: None}, name) == empty_report()[name]


def test_a_field_of_an_optional_section_is_not_optional(report: dict[str, Any]) -> None:
    del report["traffic"]["dram_bytes"]
    with pytest.raises(CorruptArtefactError, match=r"report\.traffic: the field 'dram_bytes' is missing"):
        validate(report)
