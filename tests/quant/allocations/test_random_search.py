"""The control: seeded, within budget, the best of what it measured, and no more measurements than allowed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from disparsity.quant.allocations.problem import Plan, Problem
from disparsity.quant.allocations.random_search import random_search


def watched(problem: Problem) -> tuple[Problem, list[Plan]]:
    seen: list[Plan] = []

    def measure(plan: Plan) -> float:
        seen.append(plan)
        return problem.measure(plan)

    return replace(problem, measure=measure), seen


def test_the_best_of_what_was_measured(is_affordable: Callable[..., bool], problem: Callable[..., Problem]) -> None:
    given_problem, seen = watched(problem(removable=3))
    best = random_search(given_problem)
    assert len(seen) == 60
    assert len(set(seen)) > 50
    assert all(is_affordable(plan, given_problem) for plan in seen)
    assert problem().measure(best) == min(map(problem().measure, seen))


def test_seeds_decide(problem: Callable[..., Problem]) -> None:
    assert random_search(problem()) == random_search(problem())
    _, first = (given_problem := watched(problem()))
    random_search(given_problem[0])
    other, second = watched(problem(seed=1))
    random_search(other)
    assert first != second
