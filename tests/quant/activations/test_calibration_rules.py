"""Steps of activations: against sorting, by hand, and where the fineness of the grid decides."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from disparsity.quant.activations.calibration_rules import Observed, auto_step, max_step, mse_step, percentile_step


def seen(values: Tensor, minimum: float, maximum: float, counts: Tensor | None = None) -> Observed:
    return Observed(values, torch.ones_like(values) if counts is None else counts, minimum, maximum)


def test_percentile_against_sorting() -> None:
    values = torch.randn(5000, generator=torch.Generator().manual_seed(0))
    expected = values.abs().sort().values[round(5000 * 0.999) - 1] / 7
    assert percentile_step(seen(values, -9.0, 9.0), -7, 7, 99.9) == pytest.approx(float(expected))


def test_percentile_of_almost_nothing_is_the_largest() -> None:
    nothing = seen(torch.zeros(100), -3.0, 14.0)
    assert percentile_step(nothing, -7, 7, 99.9) == max_step(nothing, -7, 7, 99.9) == 2.0


def test_the_widest_side_decides() -> None:
    assert max_step(seen(torch.zeros(1), -6.0, 14.0), -3, 28, 99.9) == 2.0
    assert max_step(seen(torch.zeros(1), -1.0, 14.0), -3, 28, 99.9) == 0.5
    assert max_step(seen(torch.zeros(1), 0.0, 14.0), 0, 28, 99.9) == 0.5


@pytest.mark.parametrize("rule", [percentile_step, mse_step, auto_step])
def test_a_count_stands_for_that_many_values(rule) -> None:
    values = torch.randn(60, generator=torch.Generator().manual_seed(0))
    counts = torch.arange(60.0).remainder(4) + 1
    written_out = values.repeat_interleave(counts.long())
    once = rule(seen(values, -3.0, 3.0, counts), -7, 8, 90.0)
    assert once == pytest.approx(rule(seen(written_out, -3.0, 3.0), -7, 8, 90.0), rel=1e-6)


@pytest.mark.parametrize(("codes", "same"), [(256, max_step), (128, mse_step)])
def test_auto_clips_on_coarse_grids_only(codes: int, same) -> None:
    values = torch.randn(100_000, generator=torch.Generator().manual_seed(0))
    values[0] = 6.0
    inputs, grid = seen(values, float(values.min()), 6.0), (-codes // 2, codes // 2 - 1)
    assert mse_step(inputs, *grid, 99.9) < max_step(inputs, *grid, 99.9)
    assert auto_step(inputs, *grid, 99.9) == same(inputs, *grid, 99.9)
