"""Compressed sparse rows: ``nnz (b + ceil log2 columns) + (rows + 1) ceil log2 (nnz + 1)`` bits, and nnz itself."""

from __future__ import annotations

import numpy as np

from disparsity.hwcost.formats.bits import Codes, index_width, whole_bytes

_COUNT_BITS = 32


def size(codes: Codes, bits: int) -> int:
    """Bytes of nnz, row starts, columns and values of ``[rows, ...]`` codes."""
    count, rows = int(np.count_nonzero(codes)), len(codes)
    pointers = (rows + 1) * index_width(count + 1)
    return whole_bytes(_COUNT_BITS + pointers + count * (bits + index_width(codes.size // rows)))
