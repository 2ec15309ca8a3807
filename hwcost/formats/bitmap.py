"""Bitmap: a bit per code that says whether it is 0, then the codes that are not: ``n + nnz b`` bits."""

from __future__ import annotations

import numpy as np

from disparsity.hwcost.formats.bitstream import BitReader, Codes, to_bytes, value_bits, whole_bytes


def encode(codes: Codes, bits: int) -> bytes:
    """``[rows, columns]`` codes of `bits` bits as bytes."""
    return to_bytes((codes.ravel() != 0).astype(np.uint8), value_bits(codes[codes != 0], bits))


def decode(content: bytes, shape: tuple[int, int], bits: int) -> Codes:
    """The inverse of `encode`."""
    reader = BitReader(content)
    nonzero = reader.unsigned(shape[0] * shape[1], 1) == 1
    codes = np.zeros(nonzero.size, np.int64)
    codes[nonzero] = reader.signed(int(nonzero.sum()), bits)
    return codes.reshape(shape)


def size(codes: Codes, bits: int) -> int:
    """Bytes that `encode` writes, by the formula."""
    return whole_bytes(codes.size + int(np.count_nonzero(codes)) * bits)
