from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import brute

from disparsity.quant.grids.levels import Levels
from disparsity.quant.grids.step_search import initial_steps, mean_steps, mse_steps, percentile_steps


def error_of(step: float, values: np.ndarray, low: int, high: int) -> float:
    return float(np.square(np.clip(np.rint(values / step), low, high) * step - values).sum())


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (-7, 7), (-127, 127), (0, 15), (0, 255)])
@pytest.mark.parametrize("tail", ["normal", "student"])
def test_close_to_an_exhaustive_search(low: int, high: int, tail: str) -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(size=300) if tail == "normal" else generator.standard_t(3, size=300)
    values = np.abs(values) if low == 0 else values
    step = float(mse_steps(torch.tensor(values[None], dtype=torch.float32), low, high))
    top = np.abs(values).max() / high
    best = brute(lambda s: error_of(float(s[0]), values, low, high), [(top / 80, top * 1.02)], Ns=2000, finish=None)
    # 300 values make a jagged error curve: a neighbouring valley may be a little deeper
    assert error_of(step, values, low, high) <= 1.25 * error_of(float(best), values, low, high)


def test_ternary_closed_form() -> None:
    # with codes -1, 0, 1 the best step for the kept set is the mean magnitude of that set
    values = torch.tensor([[1.0, -1.2, 0.8, 0.05, -0.02, 0.0]])
    assert float(mse_steps(values, -1, 1)) == pytest.approx(1.0, rel=1e-6)


def test_rows_do_not_see_each_other() -> None:
    values = torch.randn(4, 60, generator=torch.Generator().manual_seed(3)) * torch.tensor(
        [[1e-3], [1.0], [50.0], [0.0]]
    )
    together = mse_steps(values, -7, 7)
    alone = torch.cat([mse_steps(row[None], -7, 7) for row in values])
    assert torch.equal(together, alone)
    assert float(together[3]) == 1.0


def test_values_on_a_grid_are_found_exactly() -> None:
    values = 0.37 * torch.arange(-7, 8, dtype=torch.float32)[None]
    assert float(mse_steps(values, -7, 7)) == pytest.approx(0.37, rel=1e-6)


def test_mean_rule_leaves_zeros_out() -> None:
    values = torch.tensor([[0.0, 0.0, 3.0, -1.0], [0.0, 0.0, 0.0, 0.0]])
    torch.testing.assert_close(mean_steps(values, 7), torch.tensor([2 * 2.0 / 7**0.5, 1.0]))


@pytest.mark.parametrize("percentile", [1.0, 50.0, 90.0, 99.9, 100.0])
def test_percentiles_are_nearest_ranks_of_the_non_zero_magnitudes(percentile: float) -> None:
    generator = np.random.default_rng(0)
    values = np.where(generator.random((3, 200)) < 0.4, generator.normal(size=(3, 200)), 0.0)
    values[2] = 0.0
    found = percentile_steps(torch.tensor(values, dtype=torch.float32), 7, percentile).tolist()
    expected = [
        np.percentile(np.abs(row[row != 0]), percentile, method="inverted_cdf") / 7 if row.any() else 1.0
        for row in values
    ]
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("levels", [Levels(3, 2), Levels(4, 3), Levels(5, 2), Levels(1)])
def test_steps_of_other_levels_are_close_to_an_exhaustive_search(levels: Levels) -> None:
    values = torch.randn(1, 300, generator=torch.Generator().manual_seed(0))

    def error(step: float) -> float:
        return float((levels.nearest(values / step) * step - values).square().sum())

    found = float(initial_steps(values, levels, "mse"))
    top = float(values.abs().max()) / levels.high
    assert error(found) <= 1.1 * min(error(step) for step in np.geomspace(top / 100, top * 1.05, 1500))
