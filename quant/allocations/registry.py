"""Registry of allocations by their names in recipes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from disparsity.quant.allocations.controllers import controller_search
from disparsity.quant.allocations.greedy import greedy
from disparsity.quant.allocations.lagrangian import lagrangian
from disparsity.quant.allocations.problem import Plan, Problem
from disparsity.quant.allocations.random_search import random_search


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """An entry of the registry.

    Attributes:
        description: one line for users.
        choose: answers a problem; None takes the bits that the settings name.
        removes: whether it may give 0 bits to channels.

    """

    description: str
    choose: Callable[[Problem], Plan] | None
    removes: bool = False


ALLOCATIONS: dict[str, Allocation] = {
    "uniform": Allocation(
        description="the same bits for every layer but the first, protected, wide and named ones", choose=None
    ),
    "greedy": Allocation(
        description="from the most bits down, where the output changes least per saved cost",
        choose=lambda problem: Plan.whole(greedy(problem.table(), problem.costs, problem.budget)),
    ),
    "lagrangian": Allocation(
        description="equal slopes of the output's change over cost, and the rest of the budget spent greedily",
        choose=lambda problem: Plan.whole(lagrangian(problem.table(), problem.costs, problem.budget)),
    ),
    "search": Allocation(
        description="learned: a layer controller for channels of 0 bits, a channel controller for the others' bits",
        choose=controller_search,
        removes=True,
    ),
    "random": Allocation(
        description="the best of random plans, the control of the search", choose=random_search, removes=True
    ),
}
