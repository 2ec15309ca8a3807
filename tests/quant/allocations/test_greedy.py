"""The greedy allocation: by hand, within budget, and on convex instances as good as the hulls allow."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from disparsity.base.errors import InputError
from disparsity.quant.allocations.greedy import greedy
from disparsity.quant.allocations.tables import total


def test_by_hand() -> None:
    costs = [[2.0, 4.0], [2.0, 4.0], [6.0, 12.0]]
    distortion = [[3.0, 1.0], [9.0, 1.0], [4.0, 1.0]]
    # from 20 down: 3 / 6 for the third before 2 / 2 and 8 / 2; then the first
    assert greedy(distortion, costs, 14.0) == [1, 1, 0]
    assert greedy(distortion, costs, 12.5) == [0, 1, 0]
    assert greedy(distortion, costs, 20.0) == [1, 1, 1]


def test_what_the_last_step_saved_too_much_is_spent_again() -> None:
    costs, distortion = [[1.0, 2.0], [4.0, 8.0]], [[1.0, 0.5], [1.0, 0.5]]
    # the large layer goes first (0.5 / 4); at 5.5 the small one follows, and nothing fits again
    assert greedy(distortion, costs, 6.0) == [1, 0]
    # here the cheap layer is stepped down first and comes back when the dear one has gone down
    costs, distortion = [[1.0, 2.0], [4.0, 8.0]], [[0.6, 0.5], [2.0, 0.5]]
    assert greedy(distortion, costs, 6.5) == [1, 0]


@pytest.mark.parametrize("seed", range(12))
def test_within_budget_and_no_better_than_the_optimum(instance: Callable, optimum: Callable, seed: int) -> None:
    distortion, costs, budget = instance(seed, convex=False)
    chosen = greedy(distortion, costs, budget)
    assert total(costs, chosen) <= budget
    assert total(distortion, chosen) >= optimum(distortion, costs, budget) - 1e-12


def test_too_little_is_refused() -> None:
    with pytest.raises(InputError, match="the budget is below"):
        greedy([[1.0, 0.0]], [[2.0, 3.0]], 1.0)
