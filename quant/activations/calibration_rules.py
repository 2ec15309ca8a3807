"""Calibration rules: the step of an activation quantizer on a given grid, from a sample of values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from disparsity.quant.grids.step_search import mse_steps

_FINE = 2**8 - 1
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Observed:
    """What a layer's input looked like.

    Attributes:
        values: ``[N]``, a sample.
        counts: ``[N]``, how many of the input's values each of them stands for.
        minimum: of all values.
        maximum: of all values.

    """

    values: Tensor
    counts: Tensor
    minimum: float
    maximum: float


def mse_step(seen: Observed, low: int, high: int, percentile: float) -> float:
    """The step with the smallest mean squared rounding error over the sample."""
    del percentile
    return float(mse_steps(seen.values[None], low, high, counts=seen.counts[None]))


def percentile_step(seen: Observed, low: int, high: int, percentile: float) -> float:
    """Clips the values whose magnitude is above the percentile; like `max_step` when that would clip all."""
    magnitudes, order = seen.values.abs().sort()
    below = seen.counts[order].double().cumsum(0)
    place = int(torch.searchsorted(below, below[-1] * (percentile / 100) - _ROUNDING))
    bound = float(magnitudes[min(place, len(magnitudes) - 1)])
    if not bound:
        return max_step(seen, low, high, percentile)
    return _widest(max(seen.minimum, -bound), min(seen.maximum, bound), low, high)


def max_step(seen: Observed, low: int, high: int, percentile: float) -> float:
    """Clips nothing that was observed: min-max."""
    del percentile
    return _widest(seen.minimum, seen.maximum, low, high)


def auto_step(seen: Observed, low: int, high: int, percentile: float) -> float:
    """`max_step` on grids of 8 bits and more, `mse_step` on coarser ones.

    Interpretation: rare large values decide the disparity, so that clipping them costs more than their
    squared error says; fine grids can afford not to (benchmarks/LOG.md, 2026-11-21).
    """
    rule = max_step if high - low >= _FINE else mse_step
    return rule(seen, low, high, percentile)


def _widest(minimum: float, maximum: float, low: int, high: int) -> float:
    return max(maximum / high if high else 0.0, minimum / low if low else 0.0)


CALIBRATION_RULES: dict[str, Callable[[Observed, int, int, float], float]] = {
    "auto": auto_step,
    "mse": mse_step,
    "percentile": percentile_step,
    "max": max_step,
}
"""From (what was observed, lowest code, highest code, percentile) to a step."""
