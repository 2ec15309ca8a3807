"""N:M: at most N of every M codes are not 0: ``n N/M (b + ceil log2 M)`` bits, and N, M and the stride in front.

A block is M codes of one row, `stride` columns apart: a kernel's area apart, blocks run along the input channels,
as structured sparsity is usually trained. The N, M and stride with the fewest bytes are used, so that any layer can
be stored, well or badly. A block with fewer than N codes is filled up with zeros at places that are free.
Source: Mishra et al., Accelerating sparse deep neural networks, 2021, section 3 (2:4), with free N and M.
"""

from __future__ import annotations

from dataclasses import dataclass

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


def encode(codes: Codes, bits: int) -> bytes:
    """``[rows, columns]`` codes of `bits` bits as bytes: the plan, places inside the blocks, values."""
    plan = best_plan(codes, bits)
    blocks = _blocks(codes, plan)
    # A stable sort keeps the codes of a block in order and takes zeros only where codes are missing.
    places = np.sort(np.argsort(blocks == 0, axis=1, kind="stable")[:, : plan.kept], axis=1)
    return to_bytes(
        fixed_bits(np.array([plan.kept]), _BLOCK_BITS),
        fixed_bits(np.array([plan.block]), _BLOCK_BITS),
        fixed_bits(np.array([plan.stride]), _STRIDE_BITS),
        fixed_bits(places, index_width(plan.block)),
        value_bits(np.take_along_axis(blocks, places, 1), bits),
    )


def decode(content: bytes, shape: tuple[int, int], bits: int) -> Codes:
    """The inverse of `encode`."""
    reader = BitReader(content)
    kept, block, stride = reader.one(_BLOCK_BITS), reader.one(_BLOCK_BITS), reader.one(_STRIDE_BITS)
    columns = _padded(shape[1], block * stride)
    blocks = np.zeros((shape[0] * columns // block, block), np.int64)
    places = reader.unsigned(len(blocks) * kept, index_width(block)).reshape(len(blocks), kept)
    np.put_along_axis(blocks, places, reader.signed(places.size, bits).reshape(places.shape), 1)
    turned = blocks.reshape(shape[0], -1, stride, block).swapaxes(2, 3)
    return np.ascontiguousarray(turned).reshape(shape[0], columns)[:, : shape[1]]


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
