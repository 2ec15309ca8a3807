"""Tables: totals, what cannot be afforded, and the greedy spending of what is left."""

from __future__ import annotations

import pytest

from disparsity.base.errors import InputError
from disparsity.quant.allocations.tables import cheapest, check_affordable, fill, total

COSTS = [[2.0, 4.0, 8.0], [1.0, 2.0, 3.0]]
DISTORTION = [[9.0, 4.0, 3.0], [2.0, 1.5, 0.0]]


def test_totals_and_the_cheapest() -> None:
    assert total(COSTS, [1, 2]) == 7.0
    assert total([[0.1] * 1] * 10, [0] * 10) == 1.0  # ten times 0.1 adds up to 0.9999999999999999
    assert cheapest([[3.0, 1.0], [2.0]]) == [1, 0]


def test_what_cannot_be_paid_is_refused() -> None:
    check_affordable(COSTS, 3.0)
    with pytest.raises(InputError, match=r"below the cost of the fewest bits; found 2\.9; expected 3 or more"):
        check_affordable(COSTS, 2.9)


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (3.0, [0, 0]),
        (4.0, [0, 1]),  # 0.5 per 1 is all that fits
        (5.0, [1, 0]),  # 5 per 2 before 2 per 2
        (7.0, [1, 2]),
        (10.9, [1, 2]),  # the last 1 per 4 does not fit
        (11.0, [2, 2]),
        (99.0, [2, 2]),
    ],
)
def test_the_rest_goes_where_it_saves_most_per_cost(budget: float, expected: list[int]) -> None:
    assert fill([0, 0], DISTORTION, COSTS, budget) == expected


def test_a_cheaper_option_with_less_distortion_is_always_taken() -> None:
    assert fill([0], [[5.0, 4.0]], [[3.0, 2.0]], 3.0) == [1]


def test_nothing_is_spent_on_more_distortion() -> None:
    assert fill([0], [[1.0, 2.0]], [[1.0, 2.0]], 9.0) == [0]
