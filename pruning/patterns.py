"""What is removed together."""

from __future__ import annotations

from disparsity.base.errors import InputError

PATTERNS: dict[str, str] = {
    "element": "single weights",
    "2:4": "at most 2 of 4 neighbouring input channels; any N:M likewise, such as 1:4 or 4:8",
    "kernel": "whole k x k (x k) slices between one input and one output channel",
    "channel": "whole channels with all that is coupled to them; the stage ends with a smaller network",
}

_DIGITS = 3


def group_law(name: str) -> tuple[int, int] | None:
    """N and M of a pattern "N:M"; None for any other name.

    Raises:
        InputError: N is not below M, or not positive.

    """
    kept, colon, of = name.partition(":")
    if not colon or not all(part.isascii() and part.isdigit() and len(part) <= _DIGITS for part in (kept, of)):
        return None
    if not 0 < int(kept) < int(of):
        raise InputError("not a pattern N:M", found=name, expected="0 < N < M")
    return int(kept), int(of)


def check_pattern(name: str) -> None:
    """Refuse what is no pattern.

    Raises:
        InputError: the name is neither in `PATTERNS` nor N:M.

    """
    if name not in PATTERNS and group_law(name) is None:
        raise InputError(f"unknown pattern '{name}'", expected=", ".join(PATTERNS))
