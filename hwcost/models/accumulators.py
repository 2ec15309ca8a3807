"""How wide a sum has to be: for any weights of a width, and for the weights that are really there.

Source: the worst case is the usual ``b_a + b_w + ceil(log2 fan_in)``; the bound from the weights is that of Colbert et
al., A2Q, ICCV 2023, section 3: the largest sum is at most ``max|a| * sum|w|`` of a filter.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from disparsity.hwcost.codec.packed_network import PackedLayer
from disparsity.hwcost.formats.bitstream import Codes
from disparsity.hwcost.tracing.layer_call import LayerCall
from disparsity.quant.bits import grid


def worst_case_bits(weight_bits: int, activation_bits: int, fan_in: int) -> int:
    """Width for any codes of these widths."""
    return weight_bits + activation_bits + math.ceil(math.log2(max(fan_in, 1)))


def data_bits(codes: Codes, activation_bits: int, *, signed: bool, largest: int | None = None) -> int:
    """Width for these weights and any activations: a sign bit and the bits of the largest sum of any filter.

    Args:
        codes: ``[filters, the rest]`` integer weights.
        activation_bits: of the input's grid.
        signed: whether the input's grid is.
        largest: the largest size of a code seen in real activations; None takes the grid's own.

    """
    size = largest if largest is not None else grid(activation_bits, signed=signed)[1]  # signed grids are symmetric
    return sum_bits(int(np.abs(codes.astype(np.int64)).sum(axis=1).max(initial=0)), size)


def sum_bits(total: int, largest: int) -> int:
    """Bits of the largest sum and its sign: of weights whose sizes add up to `total`, on codes up to `largest`."""
    return (total * largest).bit_length() + 1


def largest_sum(layer: PackedLayer, call: LayerCall) -> int:
    """The sizes of the weights that meet in one output, added up, of the output where that is most.

    A transposed convolution with a stride uses in every output only the taps of one phase.
    """
    sizes = np.abs(layer.codes)
    if layer.output_axis == 0:
        return int(sizes.reshape(sizes.shape[0], -1).sum(axis=1).max(initial=0))
    filters = sizes.reshape(call.groups, -1, *sizes.shape[1:]).sum(axis=1)  # [groups, filters of a group, taps...]
    return max(
        int(filters[np.ix_(*map(range, filters.shape[:2]), *taps)].sum(axis=tuple(range(2, filters.ndim))).max())
        for taps in itertools.product(*map(_phases, call.kernel, call.stride, call.dilation))
    )


def _phases(kernel: int, stride: int, dilation: int) -> list[list[int]]:
    """The taps of one axis, by the outputs that they reach together."""
    phases: dict[int, list[int]] = {}
    for tap in range(kernel):
        phases.setdefault(tap * dilation % stride, []).append(tap)
    return list(phases.values())
