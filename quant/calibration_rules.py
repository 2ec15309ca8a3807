"""Choosing the step of an activation from a sample of its values, on a grid that is already chosen."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from disparsity.quant.step_search import mse_steps

_PERCENTILE = 99.9


def mse_step(values: Tensor, minimum: float, maximum: float, low: int, high: int) -> float:
    """The step with the smallest mean squared rounding error over the sample."""
    del minimum, maximum
    return float(mse_steps(values[None], low, high))


def percentile_step(values: Tensor, minimum: float, maximum: float, low: int, high: int) -> float:
    """Clips the 0.1 % of the values that are largest in magnitude; like `max_step` when that would clip all."""
    magnitudes = values.abs()
    rank = max(1, round(magnitudes.numel() * _PERCENTILE / 100))
    bound = float(torch.kthvalue(magnitudes, rank).values)
    return (
        _widest(max(minimum, -bound), min(maximum, bound), low, high) if bound else _widest(minimum, maximum, low, high)
    )


def max_step(values: Tensor, minimum: float, maximum: float, low: int, high: int) -> float:
    """Clips nothing that was observed."""
    del values
    return _widest(minimum, maximum, low, high)


def _widest(minimum: float, maximum: float, low: int, high: int) -> float:
    return max(maximum / high, minimum / low if low else 0.0)


CALIBRATION_RULES: dict[str, Callable[[Tensor, float, float, int, int], float]] = {
    "mse": mse_step,
    "percentile": percentile_step,
    "max": max_step,
}
"""From (sample ``[N]``, smallest and largest of all values, lowest code, highest code) to a step."""
