"""Quantities of cost sections as data: numbers with limits, figures of two networks, table columns and table rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import Field, WrapValidator


def _as_given(value: object, check: Callable[[object], float]) -> object:
    """A checked number; a whole one stays an integer, so that it is written as it was read."""
    checked = check(value)
    return value if isinstance(value, int) else checked


Number = Annotated[float, Field(allow_inf_nan=False), WrapValidator(_as_given)]
Percent = Annotated[float, Field(ge=0, le=100)]
Reduction = Annotated[float, Field(le=100, allow_inf_nan=False)]
Size = tuple[int, int]

UNKNOWN = "not known"

Unit = Literal["B", "pJ", "um2", "ms", "bit", "count", "exact", "percent", "fraction", "px"]
Change = Literal["percent", "factor", "points", "none"]


@dataclass(frozen=True, kw_only=True)
class Ends:
    """A figure of the dense and of the compressed network."""

    dense: Number | None
    compressed: Number | None

    @property
    def reduction_percent(self) -> float | None:
        """Percent saved by the compression."""
        return reduction(self.dense, self.compressed)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of the layer table.

    Attributes:
        title: without its unit.
        formula: in words and signs that anybody can recompute it from.
        unit: empty for names, counts of things that the title names, and shapes.
        source: of a formula that is not a definition; empty otherwise.

    """

    title: str
    formula: str
    unit: str = ""
    source: str = ""

    @property
    def label(self) -> str:
        """The heading: title and unit."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title

    @property
    def explanation(self) -> str:
        """Formula and source in one line."""
        return f"{self.formula}. Source: {self.source}" if self.source else self.formula

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """The column's formula as the description of its field in the published JSON schema."""
        unit = f"{self.title} in {self.unit}" if self.unit else self.title
        return {**handler(core_schema), "description": f"{unit}: {self.explanation}"}


def columns_of(row: type) -> dict[str, Column]:
    """The columns of a row's class by field name, in order."""
    hints = get_type_hints(row, include_extras=True)
    found = {name: [each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Column)]
             for name, hint in hints.items()}  # fmt: skip
    return {name: each[0] for name, each in found.items() if each}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table that compares the dense with the compressed network.

    Attributes:
        group: heading above the line.
        label: what the figures are.
        unit: decides how the figures are written.
        before: of the dense network.
        after: of the compressed network.
        change: how the difference is given: in percent of `before`, as a factor, in points, or not at all.
        stated_percent: the reduction that the section itself states; None computes it from the figures.
        alone: whether there is no figure before.
        missing: what is written for a figure that is None.

    """

    group: str
    label: str
    unit: Unit
    after: float | None
    before: float | None = None
    change: Change = "percent"
    stated_percent: float | None = None
    alone: bool = False
    missing: str = UNKNOWN


def ends_row(group: str, label: str, unit: Unit, ends: Ends, stated_percent: float | None = None) -> Row:
    """The line of a figure of both networks."""
    return Row(
        group=group, label=label, unit=unit, before=ends.dense, after=ends.compressed, stated_percent=stated_percent
    )


def lone_row(group: str, label: str, unit: Unit, after: float | None, missing: str = UNKNOWN) -> Row:
    """The line of a figure that the dense network does not have."""
    return Row(group=group, label=label, unit=unit, after=after, change="none", alone=True, missing=missing)


def total(values: Iterable[float | None]) -> float | None:
    """The sum; None where one of the values is unknown."""
    known = list(values)
    return None if any(value is None for value in known) else sum(value for value in known if value is not None)


def reduction(before: float | None, after: float | None) -> float | None:
    """Percent saved; None when either is unknown or there was nothing to save."""
    return 100 * (1 - after / before) if before and after is not None else None
