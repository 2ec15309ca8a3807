"""N:M: at most N of every M codes are not 0: ``n N/M (b + ceil log2 M)`` bits, and N, M and the order in front.

A block is M codes of one filter, next to each other along the input channels at one position of the kernel, as
structured sparsity is usually trained, or along the whole filter. The N, M and order with the fewest bytes are used,
so that any layer can be stored, well or badly. A block with fewer than N codes is filled up with zeros at places that
are free, and the last block of a line with zeros behind it.
Source: Mishra et al., Accelerating sparse deep neural networks, 2021, section 3 (2:4), with free N and M.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from disparsity.hwcost.formats.bits import Codes, index_width, whole_bytes

HEADER_BITS = 26
"""M - 1 in 12 bits, N in 13, and a bit for the order."""
_LARGEST_BLOCK = 1 << 12


@dataclass(frozen=True, kw_only=True)
class Plan:
    """At most `kept` of every `block` codes, per position of the kernel or along the whole filter."""

    kept: int
    block: int
    per_position: bool

    def bits(self, shape: tuple[int, ...], width: int) -> int:
        """Bits of a layer of this shape in this plan, without the header."""
        filters, channels, taps = shape
        lines, length = (filters * taps, channels) if self.per_position else (filters, channels * taps)
        return lines * -(-length // self.block) * self.kept * (width + index_width(self.block))


def size(codes: Codes, bits: int) -> int:
    """Bytes of ``[filters, channels, taps]`` codes in their best plan."""
    return whole_bytes(HEADER_BITS + best_plan(codes, bits).bits(codes.shape, bits))


def best_plan(codes: Codes, bits: int) -> Plan:
    """The plan with the fewest bits that holds every code; a layer without a zero has no pattern and takes 2:2."""
    nonzero = codes != 0
    full = Plan(kept=2, block=2, per_position=False)
    if nonzero.all():
        return full
    return min((full, *_plans(nonzero)), key=lambda plan: plan.bits(codes.shape, bits))


def lines(codes: npt.NDArray[np.generic], *, per_position: bool) -> npt.NDArray[np.generic]:
    """``[lines, length]`` in which blocks lie."""
    return codes.swapaxes(1, 2).reshape(-1, codes.shape[1]) if per_position else codes.reshape(len(codes), -1)


def _plans(nonzero: npt.NDArray[np.bool_]) -> Iterator[Plan]:
    """Every M up to the length of a line, in both orders, with the most codes of any block as N."""
    for per_position in (True, False):
        counts = np.cumsum(lines(nonzero, per_position=per_position), axis=1, dtype=np.int32)
        for block in range(2, min(max(counts.shape[1], 2), _LARGEST_BLOCK) + 1):
            ends = counts[:, [*range(block - 1, counts.shape[1] - 1, block), counts.shape[1] - 1]]
            kept = int(np.diff(ends, axis=1, prepend=0).max())
            yield Plan(kept=kept, block=block, per_position=per_position)
