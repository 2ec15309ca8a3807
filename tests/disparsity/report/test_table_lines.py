"""Rows as text: units, changes, and what is not known."""

from __future__ import annotations

from typing import get_args

import pytest

from disparsity.hwcost.models.quantities import Row, Unit, lone_row
from disparsity.report.table_lines import line


@pytest.mark.parametrize(("unit", "text"), [
    ("B", "2.00 kB"), ("pJ", "2.00 nJ"), ("um2", "2,000 µm²"), ("ms", "2,000 ms"), ("bit", "2000 bit"),
    ("count", "2.00 k"), ("exact", "2,000"), ("percent", "2000.00 %"), ("fraction", "2000.000"), ("px", "2000.000 px"),
])  # fmt: skip
def test_every_unit_has_its_text(unit: Unit, text: str) -> None:
    assert line(lone_row("group", "label", unit, 2000)).after == text
    assert line(lone_row("group", "label", unit, None)).after == "not known"


def test_no_unit_is_left_out() -> None:
    assert len(get_args(Unit)) == 10


@pytest.mark.parametrize(("change", "text"), [
    ("percent", "−75.00 %"), ("factor", "×0.25"), ("points", "−6.00 points"), ("none", ""),
])  # fmt: skip
def test_the_kinds_of_change(change, text: str) -> None:
    assert line(Row(group="", label="", unit="B", before=8, after=2, change=change)).change == text


def test_a_stated_reduction_counts_and_an_unknown_figure_leaves_none() -> None:
    assert line(Row(group="", label="", unit="B", before=8, after=2, stated_percent=74.0)).change == "−74.00 %"
    for change in ("percent", "factor", "points"):
        assert line(Row(group="", label="", unit="B", before=None, after=2, change=change)).change == "not known"


def test_a_figure_without_counterpart_has_an_empty_cell_before() -> None:
    found = line(lone_row("group", "label", "count", None, "not measured"))
    assert (found.before, found.after, found.change) == ("", "not measured", "")
