"""Choosing the step of an activation from a sample of its values."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from disparsity.quant.step_search import mse_steps

_PERCENTILE = 99.9


def mse_step(values: Tensor, largest: float, low: int, high: int) -> float:
    """The step with the smallest mean squared rounding error over the sample."""
    del largest
    return float(mse_steps(values[None], low, high))


def percentile_step(values: Tensor, largest: float, low: int, high: int) -> float:
    """Clips the 0.1 % of the values that are largest in magnitude; like `max_step` when that would clip all."""
    del low
    magnitudes = values.abs()
    rank = max(1, round(magnitudes.numel() * _PERCENTILE / 100))
    return (float(torch.kthvalue(magnitudes, rank).values) or largest) / high


def max_step(values: Tensor, largest: float, low: int, high: int) -> float:
    """Clips nothing that was observed."""
    del values, low
    return largest / high


CALIBRATION_RULES: dict[str, Callable[[Tensor, float, int, int], float]] = {
    "mse": mse_step,
    "percentile": percentile_step,
    "max": max_step,
}
"""From (sample ``[N]``, largest magnitude of all values, lowest code, highest code) to a step."""
