"""Shift-and-add figures: digits against the textbook recurrence, filters by hand, layers once each."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer
from disparsity.hwcost.models.shift_and_add import (
    MultiplierColumns,
    ShiftAdds,
    csd_adders,
    multiplier_columns,
    multipliers_section,
    shift_add_counts,
    shift_adds,
)


def test_by_hand() -> None:
    # 7 = 8 - 1 needs one adder, 11 = 8 + 4 - 1 two; the filters add three and two products.
    codes = np.array([[7, 0, -4, 1], [11, 2, 0, 0]])
    assert shift_adds(codes) == ShiftAdds(multiplier_adders=3, sum_adders=3, shifts=2, shift_only_fraction=3 / 5)


def test_nothing_needs_nothing() -> None:
    found = shift_adds(np.zeros((2, 3), np.int64))
    assert (found.multiplier_adders, found.sum_adders) == (0, 0)


@given(hnp.arrays(np.int64, (3, 8), elements=st.sampled_from([-1, 0, 1])))
def test_ternary_weights_need_sums_only(codes: np.ndarray) -> None:
    found = shift_adds(codes)
    assert (found.multiplier_adders, found.shifts, found.shift_only_fraction) == (0, 0, 1.0)
    assert found.sum_adders == sum(max(0, int(np.count_nonzero(row)) - 1) for row in codes)


@given(hnp.arrays(np.int64, (3, 8), elements=st.sampled_from([0, *(s * 2**k for k in range(7) for s in (1, -1))])))
def test_powers_of_two_need_no_multiplier(codes: np.ndarray) -> None:
    found = shift_adds(codes)
    assert found.multiplier_adders == 0
    assert found.shifts == int((np.abs(codes) > 1).sum())


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


def test_two_layers_of_which_one_is_in_float(anchors) -> None:
    call = dataclasses.replace(anchors["L1"], nnz=5)
    codes = np.zeros((16, 3, 3, 3), np.int64)
    codes[0].flat[:4], codes[1].flat[:2] = (7, 0, -4, 1), (11, 2)
    layers = [
        PackedLayer(name=call.name, codes=codes, steps=np.ones(16, np.float16), bits=5),
        FloatLayer(name="float", values=np.ones((1, 1), np.float32)),
    ]
    counts = shift_add_counts(layers)
    columns = multiplier_columns(call, counts)
    assert (columns.multiplier_adders, columns.sum_adders, columns.shifts) == (3, 3, 2)
    assert columns.shift_only_percent == pytest.approx(60)
    assert multiplier_columns(dataclasses.replace(call, call=1), counts) == MultiplierColumns()
    found = multipliers_section(counts, [call])
    assert (found.multiplier_adders, found.adders_per_weight) == (3, pytest.approx(3 / 5))
    assert found.shift_only_percent == pytest.approx(60)


def test_nothing_is_known_of_floats(anchors) -> None:
    assert set(vars(multipliers_section(shift_add_counts(None), [anchors["L1"]])).values()) == {None}
