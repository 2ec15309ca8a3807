"""Compressed sparse rows: ``nnz (b + ceil log2 columns) + (rows + 1) ceil log2 (nnz + 1)`` bits, and nnz itself."""

from __future__ import annotations

import numpy as np

from disparsity.hwcost.formats.bitstream import (
    BitReader,
    Codes,
    fixed_bits,
    index_width,
    to_bytes,
    value_bits,
    whole_bytes,
)

_COUNT_BITS = 32


def encode(codes: Codes, bits: int) -> bytes:
    """``[rows, columns]`` codes of `bits` bits as bytes: nnz, row starts, columns, values."""
    rows, columns = np.nonzero(codes)
    starts = np.searchsorted(rows, np.arange(codes.shape[0] + 1))
    return to_bytes(
        fixed_bits(np.array([len(rows)]), _COUNT_BITS),
        fixed_bits(starts, index_width(len(rows) + 1)),
        fixed_bits(columns, index_width(codes.shape[1])),
        value_bits(codes[rows, columns], bits),
    )


def decode(content: bytes, shape: tuple[int, int], bits: int) -> Codes:
    """The inverse of `encode`."""
    reader = BitReader(content)
    count = reader.one(_COUNT_BITS)
    starts = reader.unsigned(shape[0] + 1, index_width(count + 1))
    columns = reader.unsigned(count, index_width(shape[1]))
    codes = np.zeros(shape, np.int64)
    codes[np.repeat(np.arange(shape[0]), np.diff(starts)), columns] = reader.signed(count, bits)
    return codes


def size(codes: Codes, bits: int) -> int:
    """Bytes that `encode` writes, by the formula."""
    count = int(np.count_nonzero(codes))
    pointers = (codes.shape[0] + 1) * index_width(count + 1)
    return whole_bytes(_COUNT_BITS + pointers + count * (bits + index_width(codes.shape[1])))
