"""How wide a sum has to be: for any weights of a width, and for the weights that are really there.

Source: the worst case is the usual ``b_a + b_w + ceil(log2 fan_in)``; the bound from the weights is that of Colbert et
al., A2Q, ICCV 2023, section 3: the largest sum is at most ``max|a| * sum|w|`` of a filter.
"""

from __future__ import annotations

import math

import numpy as np

from disparsity.hwcost.formats.bitstream import Codes
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
    total = int(np.abs(codes.astype(np.int64)).sum(axis=1).max(initial=0))
    return (total * size).bit_length() + 1
