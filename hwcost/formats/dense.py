"""Dense: every code in `bits` bits."""

from __future__ import annotations

from disparsity.hwcost.formats.bitstream import BitReader, Codes, to_bytes, value_bits, whole_bytes


def encode(codes: Codes, bits: int) -> bytes:
    """``[rows, columns]`` codes of `bits` bits as bytes: ``n b`` bits."""
    return to_bytes(value_bits(codes, bits))


def decode(content: bytes, shape: tuple[int, int], bits: int) -> Codes:
    """The inverse of `encode`."""
    return BitReader(content).signed(shape[0] * shape[1], bits).reshape(shape)


def size(codes: Codes, bits: int) -> int:
    """Bytes that `encode` writes, by the formula."""
    return whole_bytes(codes.size * bits)
