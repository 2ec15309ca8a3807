"""Budget constraint: proposed bits per layer, reduced until the whole network fits the budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

from disparsity.quant.allocations.problem import Plan, Problem
from disparsity.quant.allocations.tables import Table, check_affordable, fill


class BudgetConstraint:
    """Takes proposed bits and removed channels layer by layer; the resulting plan always meets the budget.

    Source: AMC (He et al., ECCV 2018), section 3.3, which limits an action so that the remaining layers can still meet
    the budget with their strongest compression. Interpretation: a proposal is reduced in bits first, then in channels.

    Args:
        problem: its candidates, costs and budget.

    Raises:
        InputError: nothing meets the budget.

    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        # cost of every layer: of its decision, or the least possible one while it is undecided
        self._prices = [min(row) * shares[-1] for row, shares in zip(problem.costs, problem.left, strict=True)]
        check_affordable([[price] for price in self._prices], problem.budget)
        self._undecided = set(range(len(problem.costs)))
        self._options, self._removed = [0] * len(problem.costs), [0] * len(problem.costs)

    def goal(self) -> float:
        """Position between fewest (0) and most bits (1) that the remaining budget allows for undecided layers."""
        rows = [self._problem.costs[layer] for layer in self._undecided]
        low, high = sum(map(min, rows)), sum(map(max, rows))
        spent = sum(price for layer, price in enumerate(self._prices) if layer not in self._undecided)
        return 1.0 if high == low else min(1.0, max(0.0, (self._problem.budget - spent - low) / (high - low)))

    def take(self, layer: int, option: int, removed: int) -> tuple[int, int]:
        """Decide a layer as close to the proposal as the budget allows; returns its option and removed channels."""
        costs, shares = self._problem.costs[layer], self._problem.left[layer]
        while not self._affordable(layer, costs[option] * shares[removed]):
            cheaper = [other for other, cost in enumerate(costs) if cost < costs[option]]
            if cheaper:
                option = max(cheaper, key=costs.__getitem__)
            else:
                removed += 1
        self._prices[layer] = costs[option] * shares[removed]
        self._undecided.discard(layer)
        self._options[layer], self._removed[layer] = option, removed
        return option, removed

    def plan(self, importance: Sequence[float]) -> Plan:
        """The plan of all decisions; the rest of the budget is spent on bits of important layers.

        The distortion of a layer is taken as ``importance * 4^-bits``, the law of rounding errors.
        """
        problem, removed = self._problem, tuple(self._removed)
        costs = [[cost * shares[gone] for cost in row]
                 for row, shares, gone in zip(problem.costs, problem.left, removed, strict=True)]  # fmt: skip
        options = fill(self._options, expected_distortion(problem.widths, importance), costs, problem.budget)
        return Plan(tuple(options), removed)

    def _affordable(self, layer: int, price: float) -> bool:
        prices = [*self._prices[:layer], price, *self._prices[layer + 1 :]]
        return math.fsum(prices) <= self._problem.budget


def expected_distortion(widths: Sequence[Sequence[int]], importance: Sequence[float]) -> Table:
    """``importance * 4^-bits`` by layer and candidate."""
    return [[share * 4.0**-width for width in row] for row, share in zip(widths, importance, strict=True)]
