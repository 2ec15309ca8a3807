"""Choosing the step of an activation from a sample of its values, on a grid that is already chosen."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from disparsity.quant.step_search import mse_steps


def mse_step(values: Tensor, minimum: float, maximum: float, low: int, high: int, percentile: float) -> float:
    """The step with the smallest mean squared rounding error over the sample."""
    del minimum, maximum, percentile
    return float(mse_steps(values[None], low, high))


def percentile_step(values: Tensor, minimum: float, maximum: float, low: int, high: int, percentile: float) -> float:
    """Clips the values whose magnitude is above the percentile; like `max_step` when that would clip all."""
    magnitudes = values.abs()
    rank = max(1, round(magnitudes.numel() * percentile / 100))
    bound = float(torch.kthvalue(magnitudes, rank).values)
    return (
        _widest(max(minimum, -bound), min(maximum, bound), low, high) if bound else _widest(minimum, maximum, low, high)
    )


def max_step(values: Tensor, minimum: float, maximum: float, low: int, high: int, percentile: float) -> float:
    """Clips nothing that was observed: min-max."""
    del values, percentile
    return _widest(minimum, maximum, low, high)


def _widest(minimum: float, maximum: float, low: int, high: int) -> float:
    return max(maximum / high if high else 0.0, minimum / low if low else 0.0)


CALIBRATION_RULES: dict[str, Callable[[Tensor, float, float, int, int, float], float]] = {
    "mse": mse_step,
    "percentile": percentile_step,
    "max": max_step,
}
"""From (sample ``[N]``, smallest and largest of all values, lowest code, highest code, percentile) to a step."""
