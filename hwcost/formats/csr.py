"""Compressed sparse rows: ``nnz (b + ceil log2 columns) + (rows + 1) ceil log2 (nnz + 1)`` bits, and nnz itself."""

from __future__ import annotations

import math

import numpy as np

from disparsity.hwcost.formats.bitstream import BitReader, Codes, fixed_bits, to_bytes

_COUNT_BITS = 32


def encode(codes: Codes, bits: int) -> bytes:
    """``[rows, columns]`` codes of `bits` bits as bytes: nnz, row starts, columns, values."""
    rows, columns = np.nonzero(codes)
    starts = np.searchsorted(rows, np.arange(codes.shape[0] + 1))
    return to_bytes(
        fixed_bits(np.array([len(rows)]), _COUNT_BITS),
        fixed_bits(starts, _width(len(rows) + 1)),
        fixed_bits(columns, _width(codes.shape[1])),
        fixed_bits(codes[rows, columns], bits),
    )


def decode(content: bytes, shape: tuple[int, int], bits: int) -> Codes:
    """The inverse of `encode`."""
    reader = BitReader(content)
    count = reader.one(_COUNT_BITS)
    starts = reader.unsigned(shape[0] + 1, _width(count + 1))
    columns = reader.unsigned(count, _width(shape[1]))
    codes = np.zeros(shape, np.int64)
    codes[np.repeat(np.arange(shape[0]), np.diff(starts)), columns] = reader.signed(count, bits)
    return codes


def _width(values: int) -> int:
    return math.ceil(math.log2(values)) if values > 1 else 0
