from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from disparsity.hwcost.models.operations import csd_adders, total_bops


def test_three_definitions_by_hand(anchors) -> None:
    call = dataclasses.replace(anchors["L1"], nnz=108)  # a quarter of 432 weights
    bops = total_bops([call])
    macs, extra = 884_736, 4 + 8 + math.log2(27)
    assert bops["mac_product"] == macs / 4 * 32
    assert bops["uniq"] == pytest.approx(macs * (32 + extra))
    assert bops["ps_and_qs"] == pytest.approx(macs * (32 / 4 + extra))


def test_definitions_differ_by_half_at_4_and_8_bits(anchors) -> None:
    for call in anchors.values():
        full = dataclasses.replace(call, nnz=call.weight_count)
        bops = total_bops([full])
        assert 1.51 < bops["uniq"] / bops["mac_product"] < 1.69
        assert bops["uniq"] == pytest.approx(bops["ps_and_qs"])


def naive_adders(number: int) -> int:
    """Digits of the non-adjacent form by its textbook recurrence."""
    digits = 0
    number = abs(number)
    while number:
        if number % 2:
            digit = 2 - number % 4
            number -= digit
            digits += 1
        number //= 2
    return max(0, digits - 1)


def test_constant_multipliers_equal_the_textbook_recurrence() -> None:
    codes = np.arange(-300, 301)
    assert csd_adders(codes).tolist() == [naive_adders(code) for code in codes.tolist()]


@pytest.mark.parametrize(("bits", "mean"), [(2, 0), (3, 0.286), (4, 0.533), (6, 1.143), (8, 1.788)])
def test_golden_mean_adders(bits: int, mean: float) -> None:
    high = 2 ** (bits - 1) - 1
    assert csd_adders(np.arange(-high, high + 1)).mean() == pytest.approx(mean, abs=0.001)
