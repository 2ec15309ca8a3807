"""Allocation `random`: random search, the control for every other search."""

from __future__ import annotations

import random

from disparsity.quant.allocations.budget_constraint import BudgetConstraint
from disparsity.quant.allocations.problem import Plan, Problem


def random_search(problem: Problem) -> Plan:
    """The best of as many random plans as there are evaluations.

    Actions, budget constraint and repair are those of `search`. Proposals are uniform, layers are decided in random
    order, and the rest of the budget goes to random layers.

    Raises:
        InputError: nothing meets the budget.

    """
    generator = random.Random(problem.seed)  # noqa: S311 - nothing secret
    plans = [_random_plan(problem, generator) for _ in range(problem.evaluations)]
    return min(plans, key=problem.measure)


def _random_plan(problem: Problem, generator: random.Random) -> Plan:
    constraint = BudgetConstraint(problem)
    order = list(range(len(problem.widths)))
    generator.shuffle(order)
    for layer in order:
        option = generator.randrange(len(problem.widths[layer]))
        constraint.take(layer, option, generator.randrange(len(problem.left[layer])))
    return constraint.plan([generator.random() for _ in order])
