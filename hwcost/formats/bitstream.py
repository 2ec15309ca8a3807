"""Fields of bits in a row, highest bit first, as bytes; and back."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint8]


def fixed_bits(values: Codes, width: int) -> Bits:
    """Every value in `width` bits, two's complement: one array element per bit."""
    shifts = np.arange(width - 1, -1, -1)
    return (values.reshape(-1, 1) >> shifts & 1).astype(np.uint8).ravel()


def value_bits(values: Codes, width: int) -> Bits:
    """Weights in `width` bits as `fixed_bits` has them; one bit is the sign of a weight that is -1 or 1."""
    return (values < 0).astype(np.uint8).ravel() if width == 1 else fixed_bits(values, width)


def varied_bits(values: Codes, widths: Codes) -> Bits:
    """Every value in its own width."""
    ends = np.cumsum(widths)
    place = np.repeat(ends, widths) - np.arange(int(ends[-1]) if len(ends) else 0) - 1
    return (np.repeat(values, widths) >> place & 1).astype(np.uint8)


def to_bytes(*parts: Bits) -> bytes:
    """The parts one after the other, the last byte filled up with zeros."""
    return np.packbits(np.concatenate(parts)).tobytes() if parts else b""


def index_width(values: int) -> int:
    """Bits that tell `values` values apart: ``ceil log2``; none for one value."""
    return math.ceil(math.log2(values)) if values > 1 else 0


def whole_bytes(bits: int) -> int:
    """The bytes that hold this many bits."""
    return -(-bits // 8)


class BitReader:
    """Reads fields from the front of a byte string."""

    def __init__(self, content: bytes) -> None:
        self.bits: Bits = np.unpackbits(np.frombuffer(content, np.uint8))
        self.at = 0

    def unsigned(self, count: int, width: int) -> Codes:
        """The next `count` fields of `width` bits."""
        fields = self.bits[self.at : self.at + count * width].reshape(count, width).astype(np.int64)
        self.at += count * width
        return fields @ (1 << np.arange(width - 1, -1, -1, dtype=np.int64))

    def signed(self, count: int, width: int) -> Codes:
        """The next `count` weights that `value_bits` wrote."""
        values = self.unsigned(count, width)
        if width == 1:
            return 1 - 2 * values
        return values - ((values >> (width - 1)) << width)

    def one(self, width: int) -> int:
        """The next field as an integer."""
        return int(self.unsigned(1, width)[0])
