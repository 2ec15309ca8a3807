from __future__ import annotations

import pytest
import torch

from disparsity.quant.calibration_rules import max_step, percentile_step


def test_percentile_against_sorting() -> None:
    values = torch.randn(5000, generator=torch.Generator().manual_seed(0))
    expected = values.abs().sort().values[round(5000 * 0.999) - 1] / 7
    assert percentile_step(values, -9.0, 9.0, -7, 7, 99.9) == pytest.approx(float(expected))


def test_percentile_of_almost_nothing_is_the_largest() -> None:
    assert (
        percentile_step(torch.zeros(100), -3.0, 14.0, -7, 7, 99.9)
        == max_step(torch.zeros(100), -3.0, 14.0, -7, 7, 99.9)
        == 2.0
    )


def test_the_widest_side_decides() -> None:
    assert max_step(torch.zeros(1), -6.0, 14.0, -3, 28, 99.9) == 2.0
    assert max_step(torch.zeros(1), -1.0, 14.0, -3, 28, 99.9) == 0.5
    assert max_step(torch.zeros(1), 0.0, 14.0, 0, 28, 99.9) == 0.5
