"""Tables, and figures as they are printed in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    return lines + [f"| {' | '.join(map(str, row))} |" for row in rows]


def grouped(value: float) -> str:
    """A whole number with separators; a fraction with four digits."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def against(ours: float, theirs: float) -> str:
    """``=`` where nothing differs, else the peer's figure as a multiple of ours."""
    if ours == theirs:
        return "="
    return f"x{theirs / ours:.4g}" if ours else "differs"


def share(equal: int, of: int) -> str:
    return f"**{equal} of {of} equal**"
