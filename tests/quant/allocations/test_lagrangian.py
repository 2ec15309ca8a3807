"""Equal slopes against enumeration: within budget, and no further from the optimum than one segment of a hull."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disparsity.base.errors import InputError
from disparsity.quant.allocations.lagrangian import lagrangian, lower_hull
from disparsity.quant.allocations.tables import total


@pytest.mark.parametrize("convex", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_within_the_hulls_gap_of_the_optimum(instance: Callable, optimum: Callable, seed: int, *, convex: bool) -> None:
    distortion, costs, budget = instance(seed, convex=convex)
    chosen = lagrangian(distortion, costs, budget)
    best = optimum(distortion, costs, budget)
    assert total(costs, chosen) <= budget
    assert best - 1e-12 <= total(distortion, chosen) <= best + _largest_drop(distortion, costs) + 1e-12


@pytest.mark.parametrize("seed", range(6))
def test_a_budget_on_the_hull_gives_the_optimum(instance: Callable, optimum: Callable, seed: int) -> None:
    distortion, costs, budget = instance(seed)
    spent = total(costs, _without_the_rest(distortion, costs, budget))
    chosen = lagrangian(distortion, costs, spent)
    assert total(distortion, chosen) == pytest.approx(optimum(distortion, costs, spent), rel=1e-12)


def test_enough_for_everything_takes_everything(instance: Callable) -> None:
    distortion, costs, _ = instance(0)
    assert lagrangian(distortion, costs, 1e9) == [3] * 4


def test_too_little_is_refused(instance: Callable) -> None:
    distortion, costs, _ = instance(0)
    with pytest.raises(InputError, match="the budget is below the cost of the fewest bits"):
        lagrangian(distortion, costs, 1.0)


def test_the_hull_by_hand() -> None:
    # (cost, distortion): (1, 10), (2, 9), (3, 2), (4, 3), (6, 0): the second lies above the line to the third, the
    # fourth is worse than the third
    assert lower_hull([10.0, 9.0, 2.0, 3.0, 0.0], [1.0, 2.0, 3.0, 4.0, 6.0]) == [0, 2, 4]
    assert lower_hull([1.0], [5.0]) == [0]
    assert lower_hull([2.0, 1.0], [5.0, 5.0]) == [1]


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 30)), min_size=1, max_size=8))
def test_no_point_lies_below_the_hull(points: list[tuple[int, int]]) -> None:
    costs, distortion = [float(c) for c, _ in points], [float(d) for _, d in points]
    hull = lower_hull(distortion, costs)
    for slope in (0.0, 0.1, 0.5, 1.0, 3.0, 100.0):
        values = [d + slope * c for d, c in zip(distortion, costs, strict=True)]
        assert min(values[option] for option in hull) == min(values)


def _largest_drop(distortion: list[list[float]], costs: list[list[float]]) -> float:
    drops = [0.0]
    for values, prices in zip(distortion, costs, strict=True):
        hull = lower_hull(values, prices)
        drops += [values[a] - values[b] for a, b in pairwise(hull)]
    return max(drops)


def _without_the_rest(distortion: list[list[float]], costs: list[list[float]], budget: float) -> list[int]:
    """The best choice for the smallest multiplier on a fine grid that the budget allows."""
    for exponent in range(-4000, 4000):
        weight = 10 ** (exponent / 500)
        rows = zip(distortion, costs, strict=True)
        chosen = [min(range(len(d)), key=lambda o, d=d, c=c: d[o] + weight * c[o]) for d, c in rows]
        if total(costs, chosen) <= budget:
            return chosen
    raise AssertionError
