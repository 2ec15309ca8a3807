"""Memory words: integers as lines of a ``$readmemh`` file and as packed bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
_NEWLINE = ord("\n")


def hex_lines(values: Integers, bits: int) -> bytes:
    """One word of `bits` bits per line, row-major, two's complement; the bits of the first digit above them are 0."""
    words = _words(values, bits)
    count = -(-bits // 4)
    lines = np.full((words.size, count + 1), _NEWLINE, np.uint8)
    for place in range(count):
        lines[:, place] = _DIGITS[(words >> (4 * (count - 1 - place))) & 15]
    return lines.tobytes()


def packed_bits(values: Integers, bits: int) -> bytes:
    """Words without gaps: bit j of word i is bit ``n = i * bits + j``, and that is bit ``n % 8`` of byte ``n // 8``."""
    words = _words(values, bits)
    unpacked = ((words[:, None] >> np.arange(bits)) & 1).astype(np.uint8)
    return np.packbits(unpacked.ravel(), bitorder="little").tobytes()


def _words(values: Integers, bits: int) -> Integers:
    flat = np.ascontiguousarray(values, np.int64).ravel()
    assert flat.size == 0 or (-(2 ** (bits - 1)) <= flat.min() and flat.max() < 2**bits), "a word does not fit"
    return flat & (2**bits - 1)
