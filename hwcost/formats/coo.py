"""Coordinates: ``nnz (b + ceil log2 n)`` bits, and nnz itself; a position is the flat index of a code."""

from __future__ import annotations

import numpy as np

from disparsity.hwcost.formats.bits import Codes, index_width, whole_bytes

_COUNT_BITS = 32


def size(codes: Codes, bits: int) -> int:
    """Bytes of nnz, positions and values."""
    return whole_bytes(_COUNT_BITS + int(np.count_nonzero(codes)) * (bits + index_width(codes.size)))
