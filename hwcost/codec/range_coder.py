"""Binary range coder: one bit at a time at a given probability, carry-correct, a few bytes of overhead in all.

Encoder and decoder share one compiled `code_bit`, so that one model, written once, drives both, in Python or compiled.
Source: G. N. N. Martin, "Range encoding: an algorithm for removing redundancy from a digitised message",
1979; the carry is resolved in the bytes already written, the tail is cut to the shortest that decodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

PROBABILITY_BITS = 16
BYTES_PER_BIT = 2
"""The most bytes that one bit adds to a stream."""
_STATE_BITS = 40
_STATE_BYTES = _STATE_BITS // 8
_FULL = 1 << _STATE_BITS
_LOW_RANGE = 1 << (_STATE_BITS - 8)
_LOW_MASK = _LOW_RANGE - 1
_WRITES, _LOW, _RANGE, _CODE, _AT = range(5)
"""What the whole numbers of a state are: encoder or not, interval, number read, position in the stream."""


@njit(cache=True)
def _resolve_carry(state: Any, stream: Any) -> None:
    if state[_LOW] < _FULL:
        return
    state[_LOW] -= _FULL
    at = state[_AT] - 1
    while stream[at] == 0xFF:
        stream[at] = 0
        at -= 1
    stream[at] += 1


@njit(cache=True)
def _write_byte(state: Any, stream: Any) -> None:
    _resolve_carry(state, stream)
    stream[state[_AT]] = state[_LOW] >> (_STATE_BITS - 8)
    state[_AT] += 1
    state[_LOW] = (state[_LOW] & _LOW_MASK) << 8
    state[_RANGE] <<= 8


@njit(cache=True)
def _read_byte(state: Any, stream: Any) -> None:
    following = stream[state[_AT]] if state[_AT] < len(stream) else 0
    state[_CODE] = (state[_CODE] & _LOW_MASK) << 8 | following
    state[_AT] += 1
    state[_RANGE] <<= 8


@njit(cache=True)
def code_bit(state: Any, stream: Any, bit: int, probability: int) -> int:
    """Code one bit whose chance of being 1 is ``probability / 65536``, ``1 <= probability <= 65535``.

    An encoder writes `bit` and returns it, a decoder ignores it and returns what it reads. `stream` must have room for
    `BYTES_PER_BIT` more bytes: see `BitCoder.reserve`.
    """
    bound = (state[_RANGE] >> PROBABILITY_BITS) * probability
    if not state[_WRITES]:
        bit = 1 if state[_CODE] < bound else 0
    if bit:
        state[_RANGE] = bound
    else:
        state[_RANGE] -= bound
        if state[_WRITES]:
            state[_LOW] += bound
        else:
            state[_CODE] -= bound
    while state[_RANGE] < _LOW_RANGE:
        if state[_WRITES]:
            _write_byte(state, stream)
        else:
            _read_byte(state, stream)
    return bit


class BitCoder:
    """What a model drives: the state and the stream of an encoder or a decoder, for compiled code too."""

    state: npt.NDArray[np.int64]
    stream: npt.NDArray[np.uint8]

    @property
    def written(self) -> int:
        """Bytes so far, in the stream and beside it; a decoder writes none."""
        return 0

    def code(self, bit: int, probability: int) -> int:
        """Code one bit, as `code_bit`."""
        self.reserve(1)
        return int(code_bit(self.state, self.stream, bit, probability))

    def reserve(self, bits: int) -> None:
        """Make room for so many bits."""

    def raw(self, content: bytes) -> bytes:
        """Pass bytes beside the stream, as they are; a decoder looks at their number only."""
        raise NotImplementedError


class Encoder(BitCoder):
    """Turns bits and their probabilities into bytes."""

    def __init__(self) -> None:
        self.state = np.array([1, 0, _FULL, 0, 0], np.int64)
        self.stream = np.zeros(1 << 12, np.uint8)
        self.beside = bytearray()

    @property
    def written(self) -> int:
        """Bytes so far, in the stream and beside it."""
        return int(self.state[_AT]) + len(self.beside)

    def raw(self, content: bytes) -> bytes:
        """Put bytes beside the stream, and return them."""
        self.beside += content
        return content

    def reserve(self, bits: int) -> None:
        """Make room for so many bits, and for the tail."""
        needed = int(self.state[_AT]) + BYTES_PER_BIT * bits + _STATE_BYTES
        if needed > len(self.stream):
            longer = np.zeros(max(needed, 2 * len(self.stream)), np.uint8)
            longer[: len(self.stream)] = self.stream
            self.stream = longer

    def finish(self) -> bytes:
        """The bytes of everything written: the shortest tail inside the last interval, its zeros cut off."""
        self.reserve(1)
        low, width = int(self.state[_LOW]), int(self.state[_RANGE])
        kept = value = 0
        for kept in range(_STATE_BYTES + 1):  # the last, of single units, always fits
            unit = 1 << (_STATE_BITS - 8 * kept)
            value = -(-low // unit) * unit
            if value < low + width:
                break
        self.state[_LOW], self.state[_RANGE] = value, 0
        for _ in range(kept):
            _write_byte(self.state, self.stream)
        _resolve_carry(self.state, self.stream)
        return self.stream[: int(self.state[_AT])].tobytes().rstrip(b"\0")


class Decoder(BitCoder):
    """Reads back what `Encoder` wrote, given the same probabilities; past the stream's end it reads zeros."""

    def __init__(self, content: bytes, beside: bytes = b"") -> None:
        self._beside, self._beside_at = beside, 0
        self.stream = np.frombuffer(content, np.uint8).copy()
        first = int.from_bytes(content[:_STATE_BYTES].ljust(_STATE_BYTES, b"\0"), "big")
        self.state = np.array([0, 0, _FULL, first, _STATE_BYTES], np.int64)

    def raw(self, content: bytes) -> bytes:
        """The next bytes beside the stream, as many as `content` has.

        Raises:
            ValueError: there are not so many.

        """
        start, self._beside_at = self._beside_at, self._beside_at + len(content)
        if self._beside_at > len(self._beside):
            raise ValueError("the bytes beside the stream are cut short")
        return self._beside[start : self._beside_at]
