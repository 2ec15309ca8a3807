from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from disparsity.quant.integer.fixed_point import (
    floor_log2,
    mantissa_exponent,
    multiplier_shift,
    round_half_up,
    scaled,
    to_fixed,
    to_float,
)

POSITIVE = st.fractions(min_value=Fraction(1, 10**9), max_value=10**9)
INT32 = st.integers(-(2**31), 2**31 - 1)


@pytest.mark.parametrize(("value", "expected"), [("1/2", 1), ("-1/2", 0), ("-3/2", -1), ("5/2", 3), ("-7/10", -1)])
def test_ties_go_up(value: str, expected: int) -> None:
    assert round_half_up(Fraction(value)) == expected


@given(POSITIVE)
def test_logarithm(value: Fraction) -> None:
    assert Fraction(2) ** floor_log2(value) <= value < Fraction(2) ** (floor_log2(value) + 1)


@given(POSITIVE, st.integers(4, 31))
def test_mantissas_have_all_their_bits_and_are_the_nearest(value: Fraction, bits: int) -> None:
    mantissa, exponent = mantissa_exponent(value, bits)
    assert mantissa.bit_length() == bits
    assert abs(mantissa * Fraction(2) ** exponent - value) <= value / 2**bits


@given(st.floats(2**-20, 65504, width=16), st.floats(2**-20, 65504, width=16))
def test_products_of_two_float16_values_need_22_bits(first: float, second: float) -> None:
    product = Fraction(first) * Fraction(second)
    mantissa, exponent = mantissa_exponent(product, 22)
    assert mantissa * Fraction(2) ** exponent == product


@given(INT32, st.fractions(min_value=Fraction(1, 2**70), max_value=2**20))
def test_scaling_is_rounding_of_the_exact_product(value: int, factor: Fraction) -> None:
    multiplier, shift = multiplier_shift(factor, 22)
    found = scaled(torch.tensor([value]), torch.tensor([multiplier]), torch.tensor([shift])).item()
    assert found == math.floor(Fraction(value * multiplier, 2**shift) + Fraction(1, 2))
    assert abs(found - value * factor) <= Fraction(1, 2) + abs(value) * factor / 2**22


def test_what_always_rounds_to_zero_has_the_multiplier_zero() -> None:
    assert multiplier_shift(Fraction(0), 22) == (0, 1)
    assert multiplier_shift(Fraction(1, 2**50), 22) == (0, 62)
    assert multiplier_shift(Fraction(3, 2**12), 22) == (3 * 2**20, 32)


@given(st.floats(width=32, allow_nan=False), st.integers(-10, 40))
def test_fixed_point_of_floats(value: float, bits: int) -> None:
    found = to_fixed(torch.tensor([value], dtype=torch.float32), bits).item()
    if math.isinf(value):
        assert found == (2**31 - 1 if value > 0 else -(2**31))
    else:
        assert found == min(max(round_half_up(Fraction(value) * Fraction(2) ** bits), -(2**31)), 2**31 - 1)


@given(INT32, st.integers(-10, 60))
def test_floats_of_fixed_point(value: int, bits: int) -> None:
    found = Fraction(to_float(torch.tensor([value]), bits).item())
    exact = value * Fraction(2) ** -bits
    assert abs(found - exact) <= abs(exact) / 2**24
    if abs(value) <= 2**24:
        assert found == exact
