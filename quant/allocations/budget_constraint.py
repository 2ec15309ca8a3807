"""Budget constraint: proposed bits per layer, reduced until the whole network fits the budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

from disparsity.quant.allocations.problem import Plan, Problem, cost_of
from disparsity.quant.allocations.tables import Table, check_affordable, fill


class Wall:
    """Takes the wishes of one episode; whatever they are, the plan meets the budget.

    Source: AMC (He et al., ECCV 2018), section 3.3, which limits an action so that the layers behind it can reach the
    budget with their strongest compression. Interpretation: here a wish first loses bits, then channels.

    Args:
        problem: its candidates, costs and budget.

    Raises:
        InputError: nothing meets the budget.

    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        # the price of every layer: what is decided, or the least that it can cost
        self._prices = [min(row) * shares[-1] for row, shares in zip(problem.costs, problem.left, strict=True)]
        check_affordable([[price] for price in self._prices], problem.budget)
        self._waiting = set(range(len(problem.costs)))
        self._options, self._removed = [0] * len(problem.costs), [0] * len(problem.costs)

    def goal(self) -> float:
        """Where between cheapest and dearest bits (0..1) the budget that is left would put all waiting layers."""
        rows = [self._problem.costs[layer] for layer in self._waiting]
        low, high = sum(map(min, rows)), sum(map(max, rows))
        spent = sum(price for layer, price in enumerate(self._prices) if layer not in self._waiting)
        return 1.0 if high == low else min(1.0, max(0.0, (self._problem.budget - spent - low) / (high - low)))

    def take(self, layer: int, option: int, removed: int) -> tuple[int, int]:
        """Decide a layer as close to the wish as the budget allows; returns its option and removed channels."""
        costs, shares = self._problem.costs[layer], self._problem.left[layer]
        while not self._affordable(layer, costs[option] * shares[removed]):
            cheaper = [other for other, cost in enumerate(costs) if cost < costs[option]]
            if cheaper:
                option = max(cheaper, key=costs.__getitem__)
            else:
                removed += 1
        self._prices[layer] = costs[option] * shares[removed]
        self._waiting.discard(layer)
        self._options[layer], self._removed[layer] = option, removed
        return option, removed

    def plan(self, importance: Sequence[float]) -> Plan:
        """The plan of all wishes, and what is left of the budget spent on the bits of important layers.

        The gain of a bit is taken as ``importance * 4^-bits``, the law of rounding errors.
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


def is_affordable(plan: Plan, problem: Problem) -> bool:
    """Whether a plan meets the budget."""
    return math.fsum(cost_of(plan, problem.costs, problem.left)) <= problem.budget
