"""Allocation `random`: random search, the control for every other search."""

from __future__ import annotations

import random

from disparsity.quant.allocations.budget_constraint import Wall
from disparsity.quant.allocations.problem import Plan, Problem


def random_search(problem: Problem) -> Plan:
    """The best of as many random plans as there are evaluations.

    The actions, the budget wall and the repair are those of `search`; wishes are uniform, layers are decided in random
    order, and what is left of the budget goes to random layers.

    Raises:
        InputError: nothing meets the budget.

    """
    generator = random.Random(problem.seed)  # noqa: S311 - nothing secret
    plans = [_random_plan(problem, generator) for _ in range(problem.evaluations)]
    return min(plans, key=problem.measure)


def _random_plan(problem: Problem, generator: random.Random) -> Plan:
    wall = Wall(problem)
    order = list(range(len(problem.widths)))
    generator.shuffle(order)
    for layer in order:
        option = generator.randrange(len(problem.widths[layer]))
        wall.take(layer, option, generator.randrange(len(problem.left[layer])))
    return wall.plan([generator.random() for _ in order])
