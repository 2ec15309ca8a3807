"""Binary range coder: one bit at a time at a given probability, carry-correct, a few bytes of overhead in all.

The encoder and the decoder have the same `code` method, so that one model, written once, drives both.
Source: G. N. N. Martin, "Range encoding: an algorithm for removing redundancy from a digitised message",
1979; the carry is resolved in the bytes already written, the tail is cut to the shortest that decodes.
"""

from __future__ import annotations

from typing import Protocol

PROBABILITY_BITS = 16
_STATE_BITS = 40
_FULL = 1 << _STATE_BITS
_LOW_RANGE = 1 << (_STATE_BITS - 8)
_LOW_MASK = _LOW_RANGE - 1


class BitCoder(Protocol):
    """What a model drives: an encoder, which returns the bit it is given, or a decoder, which ignores it."""

    def code(self, bit: int, probability: int) -> int:
        """Code one bit whose chance of being 1 is ``probability / 65536``, ``1 <= probability <= 65535``."""
        ...

    def raw(self, content: bytes) -> bytes:
        """Pass bytes beside the stream, as they are; a decoder looks at their number only."""
        ...


class Encoder:
    """Turns bits and their probabilities into bytes."""

    def __init__(self) -> None:
        self._low = 0
        self._range = _FULL
        self._bytes = bytearray()
        self.beside = bytearray()

    @property
    def written(self) -> int:
        """Bytes so far, in the stream and beside it."""
        return len(self._bytes) + len(self.beside)

    def raw(self, content: bytes) -> bytes:
        """Put bytes beside the stream, and return them."""
        self.beside += content
        return content

    def code(self, bit: int, probability: int) -> int:
        """Write `bit`, and return it."""
        bound = (self._range >> PROBABILITY_BITS) * probability
        if bit:
            self._range = bound
        else:
            self._low += bound
            self._range -= bound
        while self._range < _LOW_RANGE:
            self._shift()
        return bit

    def finish(self) -> bytes:
        """The bytes of everything written: the shortest tail inside the last interval, its zeros cut off."""
        kept = value = 0
        for kept in range(_STATE_BITS // 8 + 1):  # the last, of single units, always fits
            unit = 1 << (_STATE_BITS - 8 * kept)
            value = -(-self._low // unit) * unit
            if value < self._low + self._range:
                break
        self._low = value
        for _ in range(kept):
            self._shift()
        self._resolve_carry()
        return bytes(self._bytes).rstrip(b"\0")

    def _shift(self) -> None:
        self._resolve_carry()
        self._bytes.append(self._low >> (_STATE_BITS - 8))
        self._low = (self._low & _LOW_MASK) << 8
        self._range <<= 8

    def _resolve_carry(self) -> None:
        if self._low < _FULL:
            return
        self._low -= _FULL
        at = len(self._bytes) - 1
        while self._bytes[at] == 0xFF:
            self._bytes[at] = 0
            at -= 1
        self._bytes[at] += 1


class Decoder:
    """Reads back what `Encoder` wrote, given the same probabilities; past the stream's end it reads zeros."""

    def __init__(self, content: bytes, beside: bytes = b"") -> None:
        self._beside, self._beside_at = beside, 0
        self._bytes = content
        self._at = _STATE_BITS // 8
        self._code = int.from_bytes(content[: self._at].ljust(self._at, b"\0"), "big")
        self._range = _FULL

    def code(self, bit: int, probability: int) -> int:
        """Read one bit; the argument `bit` is ignored."""
        del bit
        bound = (self._range >> PROBABILITY_BITS) * probability
        if self._code < bound:
            self._range = bound
            read = 1
        else:
            self._code -= bound
            self._range -= bound
            read = 0
        while self._range < _LOW_RANGE:
            following = self._bytes[self._at] if self._at < len(self._bytes) else 0
            self._code = (self._code & _LOW_MASK) << 8 | following
            self._at += 1
            self._range <<= 8
        return read

    def raw(self, content: bytes) -> bytes:
        """The next bytes beside the stream, as many as `content` has.

        Raises:
            ValueError: there are not so many.

        """
        start, self._beside_at = self._beside_at, self._beside_at + len(content)
        if self._beside_at > len(self._beside):
            raise ValueError("the bytes beside the stream are cut short")
        return self._beside[start : self._beside_at]
