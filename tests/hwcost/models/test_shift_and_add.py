from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from disparsity.hwcost.models.shift_and_add import ShiftAdds, shift_adds


def test_by_hand() -> None:
    # 7 = 8 - 1 needs one adder, 11 = 8 + 4 - 1 two; the filters add three and two products.
    codes = np.array([[7, 0, -4, 1], [11, 2, 0, 0]])
    assert shift_adds(codes) == ShiftAdds(multiplier_adders=3, sum_adders=3, shifts=2, shift_only_share=3 / 5)
    assert shift_adds(codes).adders == 6


def test_nothing_needs_nothing() -> None:
    assert shift_adds(np.zeros((2, 3), np.int64)).adders == 0


@given(hnp.arrays(np.int64, (3, 8), elements=st.sampled_from([-1, 0, 1])))
def test_ternary_weights_need_sums_only(codes: np.ndarray) -> None:
    found = shift_adds(codes)
    assert (found.multiplier_adders, found.shifts, found.shift_only_share) == (0, 0, 1.0)
    assert found.adders == sum(max(0, int(np.count_nonzero(row)) - 1) for row in codes)


@given(hnp.arrays(np.int64, (3, 8), elements=st.sampled_from([0, *(s * 2**k for k in range(7) for s in (1, -1))])))
def test_powers_of_two_need_no_multiplier(codes: np.ndarray) -> None:
    found = shift_adds(codes)
    assert found.multiplier_adders == 0
    assert found.shifts == int((np.abs(codes) > 1).sum())
