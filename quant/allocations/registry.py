"""Bit allocations by name: from a problem to a plan."""

from __future__ import annotations

from collections.abc import Callable

from disparsity.quant.allocations.controllers import controller_search
from disparsity.quant.allocations.greedy import greedy
from disparsity.quant.allocations.lagrangian import lagrangian
from disparsity.quant.allocations.problem import Plan, Problem
from disparsity.quant.allocations.random_search import random_search

ALLOCATIONS: dict[str, Callable[[Problem], Plan]] = {
    "greedy": lambda problem: Plan.whole(greedy(problem.table(), problem.costs, problem.budget)),
    "lagrangian": lambda problem: Plan.whole(lagrangian(problem.table(), problem.costs, problem.budget)),
    "search": controller_search,
    "random": random_search,
}
"""Every allocation that chooses; `uniform` takes the bits that the settings name."""
