"""N:M patterns by name: how many of how many neighbouring input channels keep their weights."""

from __future__ import annotations

_DIGITS = 3


def group_law(name: str) -> tuple[int, int] | None:
    """N and M of a pattern "N:M" with 0 < N < M; None for any other name."""
    kept, colon, of = name.partition(":")
    if not colon or not all(part.isascii() and part.isdigit() and len(part) <= _DIGITS for part in (kept, of)):
        return None
    return (int(kept), int(of)) if 0 < int(kept) < int(of) else None
