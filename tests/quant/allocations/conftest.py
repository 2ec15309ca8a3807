"""Small instances of the allocation of bits, and the optimum by enumeration."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from disparsity.quant.allocations.problem import Plan, Problem, cost_of

Instance = tuple[list[list[float]], list[list[float]], float]


def make_instance(seed: int, layers: int = 4, convex: bool = True) -> Instance:
    """Distortions, costs and a budget between the least and the most."""
    generator = random.Random(seed)
    distortion, costs = [], []
    for _ in range(layers):
        sensitivity, weights = 10 ** generator.uniform(-2, 1), generator.randint(5, 60)
        noise = (lambda: 1.0) if convex else (lambda: generator.uniform(0.2, 2.0))
        distortion.append([sensitivity * 4.0**-bits * noise() for bits in (2, 3, 4, 6)])
        costs.append([float(weights * bits) for bits in (2, 3, 4, 6)])
    low, high = (sum(pick(row) for row in costs) for pick in (min, max))
    return distortion, costs, low + generator.random() * (high - low)


def best_by_enumeration(distortion: list[list[float]], costs: list[list[float]], budget: float) -> float:
    """The least distortion of any choice that meets the budget."""
    best = math.inf
    for choice in itertools.product(*(range(len(row)) for row in costs)):
        if math.fsum(row[c] for row, c in zip(costs, choice, strict=True)) <= budget:
            best = min(best, sum(row[c] for row, c in zip(distortion, choice, strict=True)))
    return best


@pytest.fixture
def instance() -> Callable[..., Instance]:
    return make_instance


@pytest.fixture
def optimum() -> Callable[..., float]:
    return best_by_enumeration


@pytest.fixture
def problem() -> Callable[..., Problem]:
    """A problem of five layers whose distortion is known: additive, and a square for what is removed."""

    def make(budget_bits: float = 4.0, removable: int = 0, **changes: Any) -> Problem:
        sizes, sensitivities = (40.0, 10.0, 80.0, 20.0, 60.0), (1.0, 30.0, 0.2, 4.0, 0.5)
        widths = tuple((2, 3, 4, 5, 6, 7, 8) if layer != 1 else (8,) for layer in range(5))
        costs = [[size * bits for bits in row] for size, row in zip(sizes, widths, strict=True)]
        left = [[1.0 - k / 8 for k in range(1 + (removable if layer != 1 else 0))] for layer in range(5)]

        def measure(plan: Plan) -> float:
            rounding = sum(s * 4.0 ** -row[o] for s, row, o in zip(sensitivities, widths, plan.options, strict=True))
            return rounding + sum(s * 0.01 * k**2 for s, k in zip(sensitivities, plan.removed, strict=True))

        def table() -> list[list[float]]:
            return [[s * 4.0**-bits for bits in row] for s, row in zip(sensitivities, widths, strict=True)]

        free = sum(size for layer, size in enumerate(sizes) if layer != 1)
        settings: dict[str, Any] = {
            "widths": widths,
            "costs": costs,
            "budget": budget_bits * free + costs[1][0],
            "left": left,
            "importance": sensitivities,
            "features": [[float(layer), math.log(size)] for layer, size in enumerate(sizes)],
            "table": table,
            "measure": measure,
            "evaluations": 60,
            "seed": 0,
        }
        return Problem(**(settings | changes))

    return make


@pytest.fixture(scope="session")
def is_affordable() -> Callable[[Plan, Problem], bool]:
    """Whether a plan meets the budget of its problem."""
    return lambda plan, problem: math.fsum(cost_of(plan, problem.costs, problem.left)) <= problem.budget
