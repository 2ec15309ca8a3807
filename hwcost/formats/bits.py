"""Bits of fields, and the bytes that hold them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]


def index_width(values: int) -> int:
    """Bits that tell `values` values apart: ``ceil log2``; none for one value."""
    return math.ceil(math.log2(values)) if values > 1 else 0


def whole_bytes(bits: int) -> int:
    """The bytes that hold this many bits."""
    return -(-bits // 8)
