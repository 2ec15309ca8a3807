"""One line of a report's before/after table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from disparsity.report.numbers import change_text, reduction


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One line of the before/after table, every figure already text."""

    group: str
    label: str
    before: str
    after: str
    change: str


def split(
    group: str,
    label: str,
    ends: Mapping[str, Any],
    text: Callable[[float | None], str],
    given: float | None = None,
) -> Comparison:
    """The line of ``{dense, compressed}`` figures; `given` is the reduction that the report itself states."""
    return line(group, label, (ends["dense"], ends["compressed"]), text, given)


def line(
    group: str,
    label: str,
    ends: tuple[float | None, float | None],
    text: Callable[[float | None], str],
    given: float | None = None,
) -> Comparison:
    """The line of a figure before and after."""
    before, after = ends
    change = change_text(stated(given, before, after))
    return Comparison(group=group, label=label, before=text(before), after=text(after), change=change)


def stated(given: float | None, before: float | None, after: float | None) -> float | None:
    """The report's own reduction where it states one, so that page and report.json cannot disagree."""
    return given if given is not None else reduction(before, after)
