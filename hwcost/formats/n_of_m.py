"""N:M: at most N of every M codes are not 0: ``n N/M (b + ceil log2 M)`` bits, and N, M and the stride in front.

A block is M codes of one row, `stride` columns apart: a kernel's area apart, blocks run along the input channels,
as structured sparsity is usually trained. The N, M and stride with the fewest bytes are used, so that any layer can
be stored, well or badly. A block with fewer than N codes is filled up with zeros at places that are free.
Source: Mishra et al., Accelerating sparse deep neural networks, 2021, section 3 (2:4), with free N and M.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from disparsity.hwcost.formats.bits import Codes, index_width, whole_bytes

BLOCKS = (2, 4, 8, 16)
STRIDES = (1, 9, 25, 27)
"""Kernel areas of 3 x 3, 5 x 5 and 3 x 3 x 3, and none."""
_BLOCK_BITS, _STRIDE_BITS = 5, 16


@dataclass(frozen=True, kw_only=True)
class Plan:
    """At most `kept` of every `block` codes, which are `stride` columns apart."""

    kept: int
    block: int
    stride: int

    def bits(self, shape: tuple[int, ...], width: int) -> int:
        """Bits of a layer in this plan, without what stands in front."""
        columns = _padded(shape[1], self.block * self.stride)
        return shape[0] * columns // self.block * self.kept * (width + index_width(self.block))


def size(codes: Codes, bits: int) -> int:
    """Bytes that `encode` writes, by the formula."""
    return whole_bytes(2 * _BLOCK_BITS + _STRIDE_BITS + best_plan(codes, bits).bits(codes.shape, bits))


def best_plan(codes: Codes, bits: int) -> Plan:
    """The plan with the fewest bits that holds every code."""
    nonzero = codes != 0
    if nonzero.all():  # every block is full, whatever it is made of
        return Plan(kept=BLOCKS[0], block=BLOCKS[0], stride=1)
    plans = [
        Plan(kept=_most(nonzero, block, stride), block=block, stride=stride)
        for stride in STRIDES
        if stride == 1 or codes.shape[1] % stride == 0
        for block in BLOCKS
    ]
    return min(plans, key=lambda plan: plan.bits(codes.shape, bits))


def _most(nonzero: np.ndarray, block: int, stride: int) -> int:
    """The most codes that are not 0 in any block."""
    plan = Plan(kept=block, block=block, stride=stride)
    return int(_blocks(nonzero, plan).sum(axis=1, dtype=np.int64).max(initial=0))


def _blocks(codes: np.ndarray, plan: Plan) -> np.ndarray:
    """``[blocks, M]``; a row is filled up with zeros to a whole number of blocks."""
    columns = _padded(codes.shape[1], plan.block * plan.stride)
    full = np.pad(codes, ((0, 0), (0, columns - codes.shape[1]))) if columns > codes.shape[1] else codes
    turned = full.reshape(codes.shape[0], -1, plan.block, plan.stride).swapaxes(2, 3)
    return turned.reshape(-1, plan.block)


def _padded(count: int, unit: int) -> int:
    return -(-count // unit) * unit
