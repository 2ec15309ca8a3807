"""Levels: the integer codes that a weight may have; a weight is a code times a step.

Every quantizer of this package puts weights on such a set. Sums of powers of two with `term_bits` bits a term cover
them all: one bit a term gives all integers (a uniform grid), one term alone gives powers of two, and what lies between
is additive powers of two.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from disparsity.base.errors import InputError

_MOST_PLACES = 15
"""Binary digits of the largest code that fits 16 bits with its sign."""


@dataclass(frozen=True)
class Levels:
    """The codes of one width.

    One bit has no zero of its own: codes are -1 and 1, and 0 only where the weight is exactly 0 (pruned), which the
    index of a sparse format tells.

    Attributes:
        bits: a code's stored width: a sign, and which of the sizes it is.
        term_bits: of every term of the sum; 1 is uniform, ``bits - 1`` or more is one power of two.

    Raises:
        InputError: a term has no bits, or the largest code does not fit 16.

    """

    bits: int
    term_bits: int = 1

    def __post_init__(self) -> None:
        """Refuse codes that are too wide, before anything is computed with them."""
        if self.term_bits < 1:
            raise InputError("a term of a sum needs bits", found=self.term_bits, expected="1 or more")
        if self._places > _MOST_PLACES:
            raise InputError(
                "the largest code does not fit 16 bits",
                found=f"{self.bits} bits in terms of {self.term_bits} bits need codes of {self._places + 1} bits",
                remedy="take fewer bits, or fewer bits a term",
            )

    @property
    def is_uniform(self) -> bool:
        """Whether the sizes are 0, 1, 2, ... without a gap."""
        return self.bits == 1 or min(self.term_bits, self.bits - 1) == 1

    @cached_property
    def sizes(self) -> Sequence[int]:
        """The sizes of codes, ascending from 0.

        Source: Li, Dong and Wang, Additive Powers-of-Two Quantization, ICLR 2020, equation 5, times the power of two
        that makes all levels integers; where `term_bits` does not divide the width, the term of the remaining bits
        stands in front of the other terms' last powers, as in the authors' code for 4 and 6 bits.
        """
        if self.is_uniform:
            return range(max(2, 2 ** (self.bits - 1)))
        sums = {0}
        for term in _terms(self.bits - 1, self.term_bits):
            powers = (0, *(1 << (self._places - 1 - place) for place in term))
            sums = {left + right for left in sums for right in powers}
        return tuple(sorted(sums))

    @property
    def high(self) -> int:
        """The largest size."""
        return self.sizes[-1]

    @property
    def code_bits(self) -> int:
        """The width of a code as a two's complement integer, such as a product with it adds to an activation's."""
        return self.bits if self.is_uniform else self.high.bit_length() + 1

    def nearest(self, ratios: Tensor) -> Tensor:
        """The nearest code of every weight that was divided by its step.

        Ties go to the even code of a uniform grid, and to the smaller code elsewhere.
        """
        if self.bits == 1:
            return ratios.sign()
        if self.is_uniform:
            return ratios.round().clamp_(-self.high, self.high)
        borders, sizes = (
            torch.tensor(each, dtype=ratios.dtype).to(ratios.device) for each in (self._borders, self.sizes)
        )
        sizes = sizes[torch.bucketize(ratios.abs().flatten(), borders)].view(ratios.shape)
        return torch.empty_like(ratios).copy_(sizes).copysign_(ratios)  # as the weight lies in memory

    def nearest_code(self, ratio: float) -> int:
        """`nearest` of one number."""
        size = abs(ratio)
        if self.bits == 1:
            found = 1 if size else 0
        elif self.is_uniform:
            found = min(self.high, round(size))
        else:
            found = self.sizes[bisect_left(self._borders, size)]
        return found if ratio > 0 else -found

    def ranks(self, codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Which size every code has, with the code's sign: what is stored in `bits` bits."""
        if self.is_uniform:
            return codes
        return np.sign(codes) * np.searchsorted(np.array(self.sizes), np.abs(codes))

    def codes(self, ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The inverse of `ranks`.

        Raises:
            IndexError: a rank is of no size.

        """
        return ranks if self.is_uniform else np.sign(ranks) * np.array(self.sizes)[np.abs(ranks)]

    @cached_property
    def _borders(self) -> list[float]:
        return [(low + high) / 2 for low, high in pairwise(self.sizes)]

    @property
    def _places(self) -> int:
        if self.is_uniform:
            return self.bits - 1
        whole, rest = divmod(self.bits - 1, min(self.term_bits, self.bits - 1))
        return whole * (2 ** min(self.term_bits, self.bits - 1) - 1) + (2**rest - 1)


def _terms(size_bits: int, term_bits: int) -> list[list[int]]:
    """By term, the places (0 is the highest) of the powers that it may be."""
    term_bits = min(term_bits, size_bits)
    whole, rest = divmod(size_bits, term_bits)
    rounds, late = 2**term_bits - 1, 2**rest - 1
    terms: list[list[int]] = [[] for _ in range(whole + (rest > 0))]
    place = 0
    for turn in range(rounds):
        filled = ([terms[-1]] if turn >= rounds - late else []) + terms[:whole]
        for term in filled:
            term.append(place)
            place += 1
    return terms
