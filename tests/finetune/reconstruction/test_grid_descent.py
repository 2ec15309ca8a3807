"""Descent on a grid: never worse than the roundings it starts from, as good as trying all codes on a small filter."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from disparsity.finetune.reconstruction.grid_descent import descend_on_grid
from disparsity.finetune.reconstruction.normal_equations import (
    NormalEquations,
    normal_equations,
    round_to_grid,
    solve_masked,
)
from disparsity.quant.grids.levels import Levels

RIDGE = 1e-4


def problem(seed: int, weights: int = 6, filters: int = 3) -> tuple[NormalEquations, Tensor, Tensor]:
    """Moments of inputs that depend on each other, the solution, and a mask with a free bias."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(weights, weights, generator=generator)
    inputs = torch.randn(100, weights, generator=generator) @ mixing
    targets = torch.randn(100, filters, generator=generator)
    mask = torch.rand(filters, weights + 1, generator=generator) < 0.8
    mask[:, -1] = True
    equations = normal_equations(inputs.double(), targets.double())
    return equations, solve_masked(equations, torch.zeros(filters, weights + 1), mask, RIDGE).values, mask


def error(equations: NormalEquations, values: Tensor, found: Tensor) -> Tensor:
    damped = equations.gram + RIDGE * equations.gram.diagonal()[:-1].mean() * torch.eye(len(equations.gram))
    difference = found - values
    return ((difference @ damped) * difference).sum(dim=1)


def nearest_codes(values: Tensor, steps: Tensor, high: int) -> Tensor:
    found = values.clone()
    found[:, :-1] = (values[:, :-1] / steps[:, None]).round().clamp(-high, high) * steps[:, None]
    return found


@settings(deadline=None)
@given(seed=st.integers(0, 2**31), bits=st.sampled_from([2, 3, 4]), share=st.floats(0.2, 1.5))
def test_no_worse_than_either_rounding_and_on_the_grid(seed: int, bits: int, share: float) -> None:
    high, (equations, values, mask) = Levels(bits).high, problem(seed)
    steps = share * values[:, :-1].abs().amax(dim=1).clamp(min=1e-3) / high
    rounded = round_to_grid(equations, values, mask, steps, Levels(bits).nearest_code, RIDGE)
    found = descend_on_grid(equations, rounded, values, mask, steps, Levels(bits).nearest_code, RIDGE)
    bound = torch.minimum(
        error(equations, values, rounded), error(equations, values, nearest_codes(values, steps, high) * mask)
    )
    assert bool((error(equations, values, found) <= bound * (1 + 1e-9) + 1e-12).all())
    assert bool((found[~mask] == 0).all())
    codes = found[:, :-1] / steps[:, None]
    torch.testing.assert_close(codes, codes.round().clamp(-high, high), rtol=0, atol=1e-9)


def test_close_to_the_best_of_all_codes_of_a_small_filter() -> None:
    ratios = []
    for seed in range(20):
        equations, values, mask = problem(seed, weights=5, filters=1)
        mask[:] = True
        values = solve_masked(equations, torch.zeros(1, 6), mask, RIDGE).values
        steps = values[:, :-1].abs().mean(dim=1)
        rounded = round_to_grid(equations, values, mask, steps, Levels(2).nearest_code, RIDGE)
        found = descend_on_grid(equations, rounded, values, mask, steps, Levels(2).nearest_code, RIDGE)
        gram, least = equations.gram, float("inf")
        for codes in product((-1, 0, 1), repeat=5):
            row = torch.tensor([[*codes, 0]], dtype=torch.float64) * steps
            row[0, 5] = values[0, 5] - gram[5, :5] @ (row - values)[0, :5] / gram[5, 5]
            least = min(least, float(error(equations, values, row)))
        ratios.append(float(error(equations, values, found)) / least)
    assert sum(ratio < 1 + 1e-4 for ratio in ratios) >= 10
    assert sorted(ratios)[10] == pytest.approx(1.0, abs=1e-3)


def test_filters_without_live_weights_stay() -> None:
    equations, values, mask = problem(0)
    mask[1, :-1] = False
    values = solve_masked(equations, torch.zeros(3, 7), mask, RIDGE).values
    rounded = round_to_grid(equations, values, mask, torch.ones(3), Levels(3).nearest_code, RIDGE)
    found = descend_on_grid(equations, rounded, values, mask, torch.ones(3), Levels(3).nearest_code, RIDGE)
    assert torch.equal(found[1], rounded[1])
