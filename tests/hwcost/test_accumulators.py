from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from disparsity.hwcost.accumulators import data_bits, worst_case_bits


def test_golden_worst_cases() -> None:
    assert [worst_case_bits(4, 8, fan_in) for fan_in in (27, 144, 288, 864)] == [17, 20, 21, 22]


def test_data_bound_by_hand() -> None:
    codes = np.array([[3, -4, 0], [1, 1, 1]])
    assert data_bits(codes, 8, signed=False) == 12  # 7 * 255 = 1785 needs 11 bits and a sign
    assert data_bits(codes, 8, signed=True) == 11  # 7 * 127 = 889
    assert data_bits(codes, 8, signed=False, largest=1) == 4
    assert data_bits(np.zeros((2, 3), np.int64), 8, signed=False) == 1


@given(hnp.arrays(np.int64, st.tuples(st.integers(1, 4), st.integers(1, 20)), elements=st.integers(-7, 7)))
def test_the_extreme_sum_fits_and_pruning_never_widens(codes: np.ndarray) -> None:
    width = data_bits(codes, 4, signed=False)
    extreme = int(np.abs((np.where(codes > 0, 15, 0) * codes).sum(1)).max())
    assert extreme <= 2 ** (width - 1) - 1
    assert width <= worst_case_bits(4, 4, codes.shape[1])
    assert data_bits(np.where(codes > 3, 0, codes), 4, signed=False) <= width
