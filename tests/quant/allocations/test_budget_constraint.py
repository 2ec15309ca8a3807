"""Budget constraint: the plan always meets the budget, and a proposal that fits is kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disparsity.base.errors import InputError
from disparsity.quant.allocations.budget_constraint import BudgetConstraint, expected_distortion
from disparsity.quant.allocations.problem import Plan, Problem, cost_of, options_to_measure


def test_costs_of_a_plan_by_hand(is_affordable: Callable[..., bool], problem: Callable[..., Problem]) -> None:
    given_problem = problem(removable=4)
    plan = Plan((0, 0, 6, 2, 1), (2, 0, 4, 0, 1))
    prices = cost_of(plan, given_problem.costs, given_problem.left)
    assert prices == [40 * 2 * 0.75, 10 * 8, 80 * 8 * 0.5, 20 * 4, 60 * 3 * 0.875]
    assert is_affordable(plan, given_problem) == (sum(prices) <= given_problem.budget)
    assert options_to_measure(given_problem.widths) == 28


def test_proposals_that_fit_are_kept(problem: Callable[..., Problem]) -> None:
    constraint = BudgetConstraint(problem(budget_bits=4.0))
    taken = [constraint.take(layer, 0 if layer == 1 else 2, 0) for layer in range(5)]
    assert taken == [(2, 0), (0, 0), (2, 0), (2, 0), (2, 0)]


def test_the_goal_is_what_the_rest_of_the_budget_affords(problem: Callable[..., Problem]) -> None:
    constraint = BudgetConstraint(problem(budget_bits=5.0))
    assert constraint.goal() == pytest.approx(0.5)  # 5 bits, halfway from 2 to 8
    constraint.take(1, 0, 0)
    assert constraint.goal() == pytest.approx(0.5)
    constraint.take(2, 6, 0)  # 3 bits too many for 80 weights leave 5 - 80 * 3 / 120 = 3 bits for 120 weights
    assert constraint.goal() == pytest.approx((3 - 2) / 6)


def test_a_proposal_loses_bits_before_channels(
    is_affordable: Callable[..., bool], problem: Callable[..., Problem]
) -> None:
    tight = problem(budget_bits=2.0, removable=4)
    constraint = BudgetConstraint(tight)
    # of 480, 80 are fixed and the others need 120 with half their channels: 280 are left for 80 weights
    assert constraint.take(2, 6, 0) == (1, 0)
    assert constraint.take(0, 6, 0) == (0, 0)
    below = problem(budget_bits=1.5, removable=4)
    constraint = BudgetConstraint(below)
    taken = [constraint.take(layer, 0, 0) for layer in range(5)]
    assert [option for option, _ in taken] == [0] * 5
    assert max(removed for _, removed in taken) > 0
    assert is_affordable(constraint.plan(below.importance), below)


def test_what_nothing_can_pay_is_refused(problem: Callable[..., Problem]) -> None:
    with pytest.raises(InputError, match="the budget is below"):
        BudgetConstraint(problem(budget_bits=1.9))


@settings(max_examples=60)
@given(data=st.data(), bits=st.floats(1.2, 8.0))
def test_every_plan_meets_the_budget(is_affordable: Callable[..., bool], data: st.DataObject, bits: float) -> None:
    given_problem = _problem(bits)
    constraint = BudgetConstraint(given_problem)
    for layer in data.draw(st.permutations(range(4))):
        option, removed = data.draw(st.integers(0, 6)), data.draw(st.integers(0, 4))
        taken = constraint.take(layer, option, removed)
        assert taken[0] <= option
        assert taken[1] >= removed
    plan = constraint.plan([1.0, 2.0, 3.0, 4.0])
    assert is_affordable(plan, given_problem)


def test_the_rest_goes_to_important_layers(problem: Callable[..., Problem]) -> None:
    given_problem = problem(budget_bits=3.0)
    constraint = BudgetConstraint(given_problem)
    for layer in range(5):
        constraint.take(layer, 0, 0)
    most_to_third = constraint.plan([0.0, 0.0, 0.0, 1.0, 0.0])
    assert most_to_third.options == (0, 0, 0, 6, 0)
    assert expected_distortion([(2, 3)], [5.0]) == [[5 / 16, 5 / 64]]


def _problem(bits: float) -> Problem:
    sizes = (7.3, 1.1, 12.9, 3.7)
    return Problem(
        widths=((2, 3, 4, 5, 6, 7, 8),) * 4,
        costs=[[size * width for width in range(2, 9)] for size in sizes],
        budget=bits * sum(sizes),
        left=[[1.0, 0.9, 0.77, 0.61, 0.5]] * 4,
        importance=(1.0,) * 4,
        features=[[1.0]] * 4,
        table=list,
        measure=lambda _plan: 0.0,
        evaluations=1,
        seed=0,
    )
