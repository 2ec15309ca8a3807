"""Lines of the before/after table as text: what the terminal, the page and the Markdown file show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from disparsity.hwcost.models.quantities import UNKNOWN, Row, Unit, reduction
from disparsity.report import numbers

_TEXTS: dict[Unit, Callable[[float | None], str]] = {
    "B": numbers.bytes_text,
    "pJ": numbers.energy_text,
    "um2": numbers.area_text,
    "ms": numbers.milliseconds_text,
    "bit": lambda value: f"{value} bit",
    "count": numbers.count_text,
    "exact": numbers.exact_text,
    "percent": numbers.percent_text,
    "fraction": lambda value: f"{value:.3f}",
    "px": numbers.pixels_text,
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the before/after table, every figure already text."""

    group: str
    label: str
    before: str
    after: str
    change: str


def line(row: Row) -> Line:
    """A row with its figures in words."""

    def text(value: float | None) -> str:
        return row.missing if value is None else _TEXTS[row.unit](value)

    before = "" if row.alone else text(row.before)
    return Line(group=row.group, label=row.label, before=before, after=text(row.after), change=_change(row))


def _change(row: Row) -> str:
    if row.change == "none":
        return ""
    if row.change == "factor":
        return numbers.ratio_text(row.before, row.after)
    if row.change == "points":
        return _points(row.before, row.after)
    # The section's own reduction where it states one, so that page and report.json cannot disagree.
    stated = row.stated_percent
    return numbers.change_text(reduction(row.before, row.after) if stated is None else stated)


def _points(before: float | None, after: float | None) -> str:
    return UNKNOWN if before is None or after is None else f"{after - before:+.2f} points".replace("-", "−")
