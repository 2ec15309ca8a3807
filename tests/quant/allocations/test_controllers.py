"""The learned search: seeded, within budget and evaluations, better than chance where there is something to learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from disparsity.base.errors import InputError
from disparsity.quant.allocations.controllers import Controllers, controller_search
from disparsity.quant.allocations.lagrangian import lagrangian
from disparsity.quant.allocations.problem import Plan, Problem
from disparsity.quant.allocations.random_search import random_search
from disparsity.quant.allocations.tables import total


@pytest.mark.parametrize("removable", [0, 4])
def test_every_episode_meets_the_budget_and_none_is_too_many(
    is_affordable: Callable[..., bool], problem: Callable[..., Problem], removable: int
) -> None:
    inner, seen = problem(budget_bits=3.3, removable=removable, evaluations=37), []

    def measure(plan: Plan) -> float:
        seen.append(plan)
        return inner.measure(plan)

    best = controller_search(replace(inner, measure=measure))
    assert len(seen) == 37
    assert all(is_affordable(plan, inner) for plan in seen)
    assert inner.measure(best) == min(map(inner.measure, seen))


def test_the_first_episode_is_about_uniform(problem: Callable[..., Problem]) -> None:
    plan = controller_search(problem(budget_bits=4.0, evaluations=1))
    assert plan.options == (2, 0, 2, 2, 2)


def test_it_beats_chance_and_not_the_optimum(problem: Callable[..., Problem]) -> None:
    budget = problem(budget_bits=3.0).budget
    table, costs = problem().table(), problem().costs
    known = total(table, lagrangian(table, costs, budget))
    found = [problem(budget_bits=3.0, seed=seed) for seed in range(5)]
    learned = np.mean([p.measure(controller_search(p)) for p in found])
    by_chance = np.mean([p.measure(random_search(p)) for p in found])
    assert known <= learned < by_chance


def test_seeds_decide(problem: Callable[..., Problem]) -> None:
    assert controller_search(problem(removable=2)) == controller_search(problem(removable=2))


def test_the_layer_controller_chooses_channels_and_the_channel_controller_bits(
    problem: Callable[..., Problem],
) -> None:
    given_problem = problem(budget_bits=8.0, removable=4)
    features = np.ones((5, 1))
    off = np.array([-9.0])
    assert Controllers(off, np.array([9.0, 0.0])).episode(given_problem, features) == Plan((6, 0, 6, 6, 6), (0,) * 5)
    on = Controllers(-off, np.array([9.0, 0.0])).episode(given_problem, features)
    assert on == Plan((6, 0, 6, 6, 6), (4, 0, 4, 4, 4))


def test_what_nothing_can_pay_is_refused(problem: Callable[..., Problem]) -> None:
    with pytest.raises(InputError, match="the budget is below"):
        controller_search(problem(budget_bits=1.0))
