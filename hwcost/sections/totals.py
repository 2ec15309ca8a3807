"""Sums and shares of figures of which some may be unknown."""

from __future__ import annotations

from collections.abc import Iterable


def total(values: Iterable[float | None]) -> float | None:
    """The sum; None where one of the values is unknown."""
    known = list(values)
    return None if any(value is None for value in known) else sum(value for value in known if value is not None)


def reduction(before: float | None, after: float | None) -> float | None:
    """Percent saved; None when either is unknown or there was nothing to save."""
    return 100 * (1 - after / before) if before and after is not None else None
