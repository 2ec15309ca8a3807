"""Image size in a recipe: height and width from `HxW`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from disparsity.base.errors import InputError
from disparsity.base.settings_errors import Mistake

_DIGITS = 5
_EXPECTED = "HxW, e.g. 544x960"


def parse_size(text: str, where: str) -> tuple[int, int]:
    """Height and width from `HxW`.

    Raises:
        InputError: the text is not two positive numbers with an x between them.

    """
    size = _size(text)
    if size is None:
        raise InputError("not a size", where=where, found=repr(text), expected=_EXPECTED)
    return size


def _size(text: str) -> tuple[int, int] | None:
    parts = text.lower().split("x")
    digits = all(part.isascii() and part.isdigit() and len(part) <= _DIGITS for part in parts)
    if len(parts) != 2 or not digits or not all(int(part) > 0 for part in parts):
        return None
    return int(parts[0]), int(parts[1])


def _checked(text: str) -> str:
    if text and _size(text) is None:
        raise Mistake("not a size", found=repr(text), expected=_EXPECTED)
    return text


Size = Annotated[str, AfterValidator(_checked)]
"""The type of a setting that is a size, or empty."""
