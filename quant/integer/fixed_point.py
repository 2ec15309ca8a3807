"""Fixed-point arithmetic: real factors as integer multipliers and shifts, and the one rounding of integer execution."""

from __future__ import annotations

import math
from fractions import Fraction

import torch
from torch import Tensor

LARGEST_SHIFT = 62
"""Of a 64-bit product."""
_HALF = Fraction(1, 2)


def round_half_up(value: Fraction) -> int:
    """The nearest integer, ties towards plus infinity."""
    return math.floor(value + _HALF)


def floor_log2(value: Fraction) -> int:
    """The largest e with ``2^e <= value``, of a positive value."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    return exponent if Fraction(2) ** exponent <= value else exponent - 1


def mantissa_exponent(value: Fraction, bits: int) -> tuple[int, int]:
    """The nearest ``m * 2^e`` to a positive value, with m of exactly `bits` bits."""
    exponent = floor_log2(value) - bits + 1
    mantissa = round_half_up(value / Fraction(2) ** exponent)
    return (mantissa, exponent) if mantissa < 2**bits else (mantissa // 2, exponent + 1)


def multiplier_shift(factor: Fraction, bits: int) -> tuple[int, int]:
    """The multiplier of `bits` bits and the shift that together multiply an integer by `factor` and round it.

    A factor so small that a 32-bit integer times it rounds to 0 has the multiplier 0.
    """
    if factor == 0:
        return 0, 1
    multiplier, exponent = mantissa_exponent(factor, bits)
    assert exponent <= -1, "the factor is too large for its shift"
    return (multiplier, -exponent) if -exponent <= LARGEST_SHIFT else (0, LARGEST_SHIFT)


def scaled(values: Tensor, multiplier: Tensor, shift: Tensor) -> Tensor:
    """``(values * multiplier + 2^(shift-1)) >> shift`` in int64, elementwise; the product must fit."""
    half = torch.ones((), dtype=torch.int64) << (shift - 1)
    return (values * multiplier).add_(half) >> shift


def to_fixed(values: Tensor, fraction_bits: int) -> Tensor:
    """Float values as int64 in the range of int32, in units of ``2^-fraction_bits``; ties upwards, saturating."""
    limits = torch.iinfo(torch.int32)
    # float64 holds a float32 times a power of two, and adding a half to it never moves it over an integer.
    wide = values.double().mul_(2.0**fraction_bits).clamp_(limits.min, limits.max)
    return wide.add_(0.5).floor_().long()


def to_float(values: Tensor, fraction_bits: int) -> Tensor:
    """Integers in units of ``2^-fraction_bits`` as the nearest float32, ties to even."""
    return values.float().mul_(2.0**-fraction_bits)
