"""Quantities: sums and reductions of figures of which some are unknown, limits, and columns as data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from disparsity.hwcost.models.quantities import (
    Column,
    Ends,
    Number,
    Percent,
    Reduction,
    columns_of,
    ends_row,
    lone_row,
    reduction,
    total,
)


@dataclass(frozen=True)
class Table:
    plain: int
    size: Annotated[int | None, Column(title="size", unit="B", formula="a + b", source="Me 2020")] = None


def test_sums_and_reductions_of_unknown_figures_are_unknown() -> None:
    assert (total([1, 2.5]), total([]), total([1, None])) == (3.5, 0, None)
    assert reduction(200, 50) == 75
    assert [reduction(*ends) for ends in ((None, 1), (1, None), (0, 5))] == [None] * 3
    assert Ends(dense=10, compressed=11).reduction_percent == pytest.approx(-10)


@pytest.mark.parametrize(("kind", "value"), [
    (Number, math.nan), (Number, math.inf), (Number, True), (Number, "1"), (Percent, 100.1), (Percent, -1),
    (Percent, math.nan), (Reduction, 100.1), (Reduction, -math.inf),
])  # fmt: skip
def test_numbers_have_limits(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value, strict=True)


def test_whole_numbers_stay_whole() -> None:
    found = TypeAdapter(Number).validate_json("5547943", strict=True)
    assert (found, type(found)) == (5_547_943, int)
    assert TypeAdapter(Reduction).validate_python(-3.5) == -3.5


def test_a_column_explains_itself_also_in_the_schema() -> None:
    column = columns_of(Table)["size"]
    assert (column.label, column.explanation) == ("size [B]", "a + b. Source: Me 2020")
    assert list(columns_of(Table)) == ["size"]
    properties = TypeAdapter(Table).json_schema()["properties"]
    assert properties["size"]["description"] == "size in B: a + b. Source: Me 2020"


def test_rows_of_both_networks_and_of_one() -> None:
    both, alone = ends_row("g", "l", "B", Ends(dense=2, compressed=1), 51.0), lone_row("g", "l", "bit", 7)
    assert (both.before, both.after, both.change, both.stated_percent) == (2, 1, "percent", 51.0)
    assert (alone.after, alone.change, alone.alone) == (7, "none", True)
