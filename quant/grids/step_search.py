"""Step search: a first step size for given values on a given integer grid."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.quant.grids.levels import Levels

Rounding = Callable[[Tensor], Tensor]
"""From values divided by their step to codes."""

_CANDIDATES = 48
_SMALLEST_SHARE = 1 / 64
_REFINEMENTS = 4
_UNUSED_STEP = 1.0


def mse_steps(
    values: Tensor, low: int, high: int, nearest: Rounding | None = None, counts: Tensor | None = None
) -> Tensor:
    """Per row, the step with the smallest mean squared rounding error.

    A geometric grid from the step that clips nothing down to 1/64 of it, then a few rounds of the closed form
    ``s = <v, c> / <c, c>``, the best step for fixed codes `c`, which never raises the error.

    Args:
        values: ``[C, N]``; zeros are free, since every grid holds 0 exactly.
        low: lowest code.
        high: highest code.
        nearest: to codes that leave some of these integers out; None takes them all.
        counts: ``[C, N]``, how often each value occurs; None is once.

    Returns:
        ``[C]`` positive steps; 1 for rows of zeros, whose step is never used.

    """
    nearest = nearest or partial(_whole, low=low, high=high)
    counts = torch.ones_like(values) if counts is None else counts
    largest = values.abs().amax(dim=1)
    unused = largest == 0
    ceiling = torch.where(unused, torch.ones_like(largest), largest) / (high or -low)
    best, error = ceiling, _squared_error(values, counts, ceiling, nearest)
    for share in torch.logspace(0, 1, _CANDIDATES, base=_SMALLEST_SHARE).tolist()[1:]:
        best, error = _keep_better(values, counts, ceiling * share, best, error, nearest)
    for _ in range(_REFINEMENTS):
        best, error = _keep_better(values, counts, _refit(values, counts, best, nearest), best, error, nearest)
    return best.masked_fill(unused, _UNUSED_STEP)


def mean_steps(values: Tensor, high: int) -> Tensor:
    """Per row, ``2 * mean|v| / sqrt(high)`` over the non-zero values.

    Source: Esser et al. 2020, section 2.1. Interpretation: zeros are left out, as they are pruned weights.
    """
    count = (values != 0).sum(dim=1)
    steps = 2 * values.abs().sum(dim=1) / count.clamp(min=1) / high**0.5
    return steps.masked_fill(count == 0, _UNUSED_STEP)


def percentile_steps(values: Tensor, high: int, percentile: float) -> Tensor:
    """Per row, the step that clips what lies above a percentile of the magnitudes of the non-zero values.

    The percentile is the nearest-rank one, so that 100, and any of a single value, is the largest magnitude: the range
    is min-max, made symmetric, because 0 has to be a code.
    """
    ascending = values.abs().sort(dim=1).values
    count = (values != 0).sum(dim=1)
    rank = (count * (percentile / 100)).ceil().long().clamp_(min=1)
    place = (values.shape[1] - count + rank - 1).clamp_(max=values.shape[1] - 1)
    bound = ascending.gather(1, place[:, None])[:, 0]
    return (bound / high).masked_fill(count == 0, _UNUSED_STEP)


def initial_steps(values: Tensor, levels: Levels, rule: str, percentile: float = 100.0) -> Tensor:
    """Per row of ``[C, N]``, a first step by a rule: `mse`, `mean`, `max`, `percentile`, or `unit` for a step of 1.

    Raises:
        InputError: a value is not finite.

    """
    if not bool(torch.isfinite(values).all()):
        raise InputError("values to quantize are not finite", remedy="the network has diverged: use an earlier one")
    if rule == "mse":
        return mse_steps(values, -levels.high, levels.high, levels.nearest)
    if rule == "mean":
        return mean_steps(values, levels.high)
    if rule == "unit":
        return values.new_ones(values.shape[0])
    return percentile_steps(values, levels.high, percentile if rule == "percentile" else 100.0)


def _whole(ratios: Tensor, *, low: int, high: int) -> Tensor:
    return ratios.round_().clamp_(low, high)


def _squared_error(values: Tensor, counts: Tensor, steps: Tensor, nearest: Rounding) -> Tensor:
    error = nearest(values / steps[:, None]).mul_(steps[:, None]).sub_(values).square_()
    return error.mul_(counts).sum(dim=1)


def _refit(values: Tensor, counts: Tensor, steps: Tensor, nearest: Rounding) -> Tensor:
    codes = nearest(values / steps[:, None])
    weighted = codes * counts
    fitted = (values * weighted).sum(dim=1) / (codes * weighted).sum(dim=1)
    return torch.where(torch.isfinite(fitted) & (fitted > 0), fitted, steps)


def _keep_better(
    values: Tensor, counts: Tensor, candidate: Tensor, best: Tensor, error: Tensor, nearest: Rounding
) -> tuple[Tensor, Tensor]:
    candidate_error = _squared_error(values, counts, candidate, nearest)
    better = candidate_error < error
    return torch.where(better, candidate, best), torch.where(better, candidate_error, error)
