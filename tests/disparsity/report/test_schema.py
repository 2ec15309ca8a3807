"""The checker accepts what the interface allows and names the field of everything else; the schema is published."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from disparsity.base.errors import CorruptArtefactError
from disparsity.report.report import Report
from disparsity.report.schema import as_json, json_schema, parse_report, report_text

PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "report.schema.json"
Read = Callable[[dict[str, Any]], Report]


def change(stored: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    place: Any = stored
    for parent in parents:
        place = place[int(parent)] if isinstance(place, list) else place[parent]
    place[last] = value


def test_a_report_is_read_as_it_is_written(report: Report, empty: Report) -> None:
    assert parse_report(report_text(report)) == report
    assert parse_report(report_text(empty)) == empty


def test_the_sections_are_those_of_the_interface() -> None:
    assert [each.name for each in fields(Report)] == [
        "schema", "version", "network", "accuracy", "memory", "operations", "hardware", "latency",
        "measured_latency", "machine", "traffic",
        "roofline", "sparse_execution", "effectual", "accumulators", "multipliers", "activations",
        "coverage", "layers", "settings",
    ]  # fmt: skip


def test_bytes_after_the_stages_are_those_of_a_run_only(report: Report) -> None:
    assert as_json(report)["memory"]["stage_bytes"]["pruned"] == 274_500
    costs = replace(report, memory=replace(report.memory, stage_bytes=None))
    assert "stage_bytes" not in as_json(costs)["memory"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema", "other"), ("version", 2), ("version", None), ("network.parameters", 1.5),
        ("network.parameters", True),
        ("network.input_size", [544]), ("network.input_size", [1, 2, 3]), ("memory.dense_bytes", math.nan),
        ("memory.dense_bytes", "12"), ("memory.entropy_bound_bytes", math.inf), ("layers.0.mac_energy_pj", math.nan),
        ("memory.reduction_percent", 100.5), ("memory.formats", []), ("operations.bops.uniq", 3),
        ("hardware.mac_energy_pj", None), ("accuracy.0.stage", "final"), ("accuracy.0.d1_percent", -1.0),
        ("traffic.dram_bytes.dense", "12"), ("effectual.cropped", 1), ("machine", []),
        ("multipliers.shift_only_percent", 101.0), ("layers.0.nnz", 1.5), ("layers.0.kernel", [3, "3"]),
        ("accuracy.0.data", None), ("coverage.unmodelled", "none"), ("settings.seed", "0"),
        ("layers", None),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_name(stored: dict[str, Any], read: Read, path: str, value: Any) -> None:
    change(stored, path, value)
    with pytest.raises(CorruptArtefactError) as caught:
        read(stored)
    name = path.replace(".0", "[0]")
    assert str(caught.value).startswith(f"report.{name}")
    assert "expected" in str(caught.value) or "is missing" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_field_is_named(stored: dict[str, Any], read: Read) -> None:
    del stored["hardware"]["profile"]
    with pytest.raises(CorruptArtefactError, match=r"report\.hardware: the field 'profile' is missing"):
        read(stored)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": '])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(CorruptArtefactError, match=r"a\.json: not a report; found"):
        parse_report(text, "a.json")


def test_a_report_with_a_figure_out_of_bounds_has_no_text(report: Report) -> None:
    with pytest.raises(CorruptArtefactError, match=r"memory\.reduction_percent"):
        report_text(replace(report, memory=replace(report.memory, reduction_percent=math.nan)))


def test_new_fields_and_growth_are_allowed(stored: dict[str, Any], read: Read) -> None:
    stored["memory"] |= {"reduction_percent": -3.0, "a_new_field": {}}
    stored["layers"][0]["a_new_column"] = "x"
    assert read(stored).memory.reduction_percent == -3.0


def test_every_field_may_be_unknown_where_a_figure_belongs(stored: dict[str, Any], read: Read) -> None:
    for path in ("memory.packed_file_bytes", "latency.utilization", "settings.steps", "accuracy.0.epe_px"):
        change(stored, path, None)
    found = read(stored)
    assert (found.memory.packed_file_bytes, found.settings.steps) == (None, None)


def test_sections_that_older_reports_lack_may_be_absent_or_null(stored: dict[str, Any], read: Read) -> None:
    optional = [each.name for each in fields(Report) if each.default is None]
    assert "traffic" in optional
    for name in optional:
        stored[name] = None
        assert getattr(read(stored), name) is None
        del stored[name]
        assert getattr(read(stored), name) is None


def test_a_field_of_an_optional_section_is_not_optional(stored: dict[str, Any], read: Read) -> None:
    del stored["traffic"]["dram_bytes"]
    with pytest.raises(CorruptArtefactError, match=r"report\.traffic: the field 'dram_bytes' is missing"):
        read(stored)


def test_the_published_schema_is_that_of_the_classes() -> None:
    command = "python -m disparsity.report.schema > docs/report.schema.json"
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == json.loads(json.dumps(json_schema())), command


def test_the_published_schema_explains_the_columns() -> None:
    columns = json_schema()["$defs"]["LayerRow"]["properties"]
    assert columns["dram_bytes"]["description"].startswith("DRAM traffic in B: with the tiles of least traffic")
    assert all("description" in column for column in columns.values())
