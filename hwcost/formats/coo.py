"""Coordinates: ``nnz (b + ceil log2 n)`` bits, and nnz itself; a position is the flat index of a code."""

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
    """``[rows, columns]`` codes of `bits` bits as bytes: nnz, positions, values."""
    places = np.flatnonzero(codes)
    return to_bytes(
        fixed_bits(np.array([places.size]), _COUNT_BITS),
        fixed_bits(places, index_width(codes.size)),
        value_bits(codes.ravel()[places], bits),
    )


def decode(content: bytes, shape: tuple[int, int], bits: int) -> Codes:
    """The inverse of `encode`."""
    reader = BitReader(content)
    count, size = reader.one(_COUNT_BITS), shape[0] * shape[1]
    places = reader.unsigned(count, index_width(size))
    codes = np.zeros(size, np.int64)
    codes[places] = reader.signed(count, bits)
    return codes.reshape(shape)


def size(codes: Codes, bits: int) -> int:
    """Bytes that `encode` writes, by the formula."""
    return whole_bytes(_COUNT_BITS + int(np.count_nonzero(codes)) * (bits + index_width(codes.size)))
