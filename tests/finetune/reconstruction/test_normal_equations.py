"""Masked ridge least squares against numpy's lstsq, and saliencies against removing weights one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.finetune.reconstruction.normal_equations import normal_equations, round_to_grid, solve_masked
from disparsity.quant.grids.levels import Levels


def problem(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(seed)
    inputs, targets = torch.randn(200, 6) @ torch.randn(6, 6), torch.randn(200, 3)
    old, mask = torch.randn(3, 7), torch.rand(3, 7) > 0.4
    mask[:, 6] = True
    return inputs, targets, old, mask


def by_lstsq(inputs: np.ndarray, target: np.ndarray, old: np.ndarray, live: np.ndarray, ridge: float) -> np.ndarray:
    """min |X w - y|^2 / n + s |w - old|^2 as one stacked least-squares problem over the live columns."""
    rows = np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)
    strength = ridge * np.mean(np.sum(rows[:, :-1] ** 2, axis=0) / len(rows))
    rows = rows[:, live] / np.sqrt(len(rows))
    stacked = np.concatenate([rows, np.sqrt(strength) * np.eye(rows.shape[1])])
    right = np.concatenate([target / np.sqrt(len(inputs)), np.sqrt(strength) * old[live]])
    values = np.zeros(old.shape)
    values[live] = np.linalg.lstsq(stacked, right, rcond=None)[0]
    return values


@pytest.mark.parametrize("ridge", [0.0, 1e-3, 1.0])
def test_equals_numpy_lstsq_filter_by_filter(ridge: float) -> None:
    inputs, targets, old, mask = problem()
    solution = solve_masked(normal_equations(inputs, targets), old, mask, ridge)
    for index in range(3):
        arrays = (inputs.double().numpy(), targets[:, index].double().numpy(), old[index].double().numpy())
        expected = by_lstsq(*arrays, mask[index].numpy(), ridge)
        np.testing.assert_allclose(solution.values[index].numpy(), expected, rtol=1e-4, atol=1e-5)
    assert bool((solution.values[~mask] == 0).all())


def test_full_masks_take_the_shared_inverse_to_the_same_values() -> None:
    inputs, targets, old, _ = problem()
    full = torch.ones(3, 7, dtype=torch.bool)
    together = solve_masked(normal_equations(inputs, targets), old, full, 1e-3)
    partly = full.clone()
    partly[2, 0] = False
    apart = solve_masked(normal_equations(inputs, targets), old, partly, 1e-3)
    torch.testing.assert_close(together.values[:2], apart.values[:2])
    torch.testing.assert_close(together.saliency[:2], apart.saliency[:2])


def test_filter_without_live_weights_keeps_only_its_bias() -> None:
    inputs, targets, old, mask = problem()
    mask[0, :6], mask[1] = False, False
    solution = solve_masked(normal_equations(inputs, targets), old, mask, 0.0)
    assert float(solution.values[0, 6]) == pytest.approx(float(targets[:, 0].mean()), rel=1e-4)
    assert not solution.values[1].any()
    assert not solution.saliency[:2].any()


def test_saliency_is_the_error_that_removing_and_solving_again_adds() -> None:
    inputs, targets, old, mask = problem()
    equations = normal_equations(inputs.double(), targets.double())
    old = old * mask
    solution = solve_masked(equations, old, mask, 0.0)

    def loss(values: torch.Tensor, index: int) -> float:
        rows = torch.cat([inputs, torch.ones(200, 1)], dim=1).double()
        return float((rows @ values[index] - targets[:, index].double()).square().mean()) / 2

    for index in range(3):
        for column in range(6):
            if not mask[index, column]:
                assert solution.saliency[index, column] == 0
                continue
            without = mask.clone()
            without[index, column] = False
            again = solve_masked(equations, old, without, 0.0)
            grown = loss(again.values, index) - loss(solution.values, index)
            assert float(solution.saliency[index, column]) == pytest.approx(grown, rel=1e-6)


def test_no_unique_solution_says_what_to_raise() -> None:
    inputs, targets = torch.arange(1.0, 5.0)[:, None].repeat(1, 6), torch.randn(4, 3)
    mask = torch.ones(3, 7, dtype=torch.bool)
    with pytest.raises(InputError, match=r"no unique solution; found 7 unknowns; raise reconstruct\.ridge"):
        solve_masked(normal_equations(inputs, targets), torch.zeros(3, 7), mask, 0.0)


@pytest.mark.parametrize("ridge", [1e-5, 1e-3])
def test_dead_and_duplicated_inputs_do_not_break_the_solution(ridge: float) -> None:
    inputs, targets, old, _ = problem()
    inputs[:, 0], inputs[:, 2] = 0.0, inputs[:, 1]
    mask = torch.ones(3, 7, dtype=torch.bool)
    solution = solve_masked(normal_equations(inputs, targets), old, mask, ridge)
    assert bool(torch.isfinite(solution.values).all())
    expected = by_lstsq(inputs.double().numpy(), targets[:, 0].double().numpy(), np.zeros(7), mask[0].numpy(), 0.0)
    rows = np.concatenate([inputs.double().numpy(), np.ones((200, 1))], axis=1)
    best = np.square(rows @ expected - targets[:, 0].numpy()).mean()
    found = np.square(rows @ solution.values[0].numpy() - targets[:, 0].numpy()).mean()
    assert found < best * 1.02


def one_by_one(matrix: np.ndarray, values: np.ndarray, step: float, high: int, weights: int) -> np.ndarray:
    """Fix one code after the other; each time the rest is the exact minimiser of the quadratic error."""
    result = values.copy()
    for place in range(weights):
        fixed, rest = slice(0, place), slice(place, len(values))
        best = values[rest].copy()
        if place:
            best -= np.linalg.solve(matrix[rest, rest], matrix[rest, fixed] @ (result[fixed] - values[fixed]))
        result[place] = step * np.clip(np.round(best[0] / step), -high, high)
    rest, fixed = slice(weights, len(values)), slice(0, weights)
    result[rest] = values[rest] - np.linalg.solve(
        matrix[rest, rest], matrix[rest, fixed] @ (result[fixed] - values[fixed])
    )
    return result


@pytest.mark.parametrize("bits", [2, 4])
def test_rounding_equals_solving_the_rest_again_after_each_weight(bits: int) -> None:
    high = Levels(bits).high
    inputs, targets, old, mask = problem()
    equations = normal_equations(inputs.double(), targets.double())
    values = solve_masked(equations, old, mask, 1e-6).values
    steps = values[:, :-1].abs().amax(dim=1) / (high - 0.6)
    rounded = round_to_grid(equations, values, mask, steps, Levels(bits).nearest_code, 1e-6)
    assert bool((rounded[~mask] == 0).all())
    codes = rounded[:, :-1] / steps[:, None]
    torch.testing.assert_close(codes, codes.round().clamp(-high, high), rtol=0, atol=1e-9)
    for index in range(3):
        live = mask[index].numpy()
        matrix = equations.gram.numpy()[np.ix_(live, live)]
        matrix = matrix + 1e-6 * float(equations.gram.diagonal()[:-1].mean()) * np.eye(len(matrix))
        expected = one_by_one(matrix, values[index].numpy()[live], float(steps[index]), high, live.sum() - 1)
        np.testing.assert_allclose(rounded[index].numpy()[live], expected, rtol=1e-6, atol=1e-9)


def test_rounding_with_compensation_errs_less_than_to_the_nearest_code() -> None:
    compensated = nearest = 0.0
    for seed in range(20):
        inputs, targets, old, mask = problem(seed)
        equations = normal_equations(inputs.double(), targets.double())
        values = solve_masked(equations, old, mask, 1e-6).values
        steps = values[:, :-1].abs().amax(dim=1, keepdim=True) / 2
        rounded = round_to_grid(equations, values, mask, steps[:, 0], Levels(4).nearest_code, 1e-6) - values
        plain = torch.cat([(values[:, :-1] / steps).round() * steps - values[:, :-1], torch.zeros(3, 1)], dim=1)
        compensated += float((rounded @ equations.gram * rounded).sum())
        nearest += float((plain @ equations.gram * plain).sum())
    assert compensated < 0.8 * nearest


def test_rounding_leaves_filters_without_live_weights_alone() -> None:
    inputs, targets, old, mask = problem()
    mask[0, :6], mask[1] = False, False
    equations = normal_equations(inputs, targets)
    values = solve_masked(equations, old, mask, 1e-3).values
    rounded = round_to_grid(equations, values, mask, torch.ones(3), Levels(4).nearest_code, 1e-3)
    assert torch.equal(rounded[:2], values[:2])
