"""Choosing a first step size for given values and a given integer grid."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from disparsity.errors import InputError

_CANDIDATES = 48
_SMALLEST_SHARE = 1 / 64
_REFINEMENTS = 4
_UNUSED_STEP = 1.0


def mse_steps(values: Tensor, low: int, high: int) -> Tensor:
    """Per row, the step with the smallest mean squared rounding error.

    A geometric grid from the step that clips nothing down to 1/64 of it, then a few rounds of the closed form
    ``s = <v, c> / <c, c>``, the best step for fixed codes `c`, which never raises the error.

    Args:
        values: ``[C, N]``; zeros are free, since every grid holds 0 exactly.
        low: lowest code.
        high: highest code.

    Returns:
        ``[C]`` positive steps; 1 for rows of zeros, whose step is never used.

    """
    largest = values.abs().amax(dim=1)
    unused = largest == 0
    ceiling = torch.where(unused, torch.ones_like(largest), largest) / high
    best, error = ceiling, _squared_error(values, ceiling, low, high)
    for share in torch.logspace(0, 1, _CANDIDATES, base=_SMALLEST_SHARE).tolist()[1:]:
        best, error = _keep_better(values, ceiling * share, best, error, low, high)
    for _ in range(_REFINEMENTS):
        best, error = _keep_better(values, _refit(values, best, low, high), best, error, low, high)
    return best.masked_fill(unused, _UNUSED_STEP)


def mean_steps(values: Tensor, low: int, high: int) -> Tensor:
    """Per row, ``2 * mean|v| / sqrt(high)`` over the non-zero values.

    Source: Esser et al. 2020, section 2.1. Interpretation: zeros are left out, as they are pruned weights.
    """
    del low
    count = (values != 0).sum(dim=1)
    steps = 2 * values.abs().sum(dim=1) / count.clamp(min=1) / high**0.5
    return steps.masked_fill(count == 0, _UNUSED_STEP)


def unit_steps(values: Tensor, low: int, high: int) -> Tensor:
    """Steps of 1, for structures whose state is loaded next."""
    del low, high
    return values.new_ones(values.shape[0])


INITIALISATIONS: dict[str, Callable[[Tensor, int, int], Tensor]] = {
    "mse": mse_steps,
    "mean": mean_steps,
    "unit": unit_steps,
}


def initial_steps(values: Tensor, low: int, high: int, rule: str) -> Tensor:
    """Per row of ``[C, N]``, a first step by the named rule.

    Raises:
        InputError: the rule is unknown, or a value is not finite.

    """
    if rule not in INITIALISATIONS:
        raise InputError("unknown initialisation of steps", found=rule, expected=", ".join(INITIALISATIONS))
    if not bool(torch.isfinite(values).all()):
        raise InputError("values to quantize are not finite", remedy="the network has diverged: use an earlier one")
    return INITIALISATIONS[rule](values, low, high)


def _codes(values: Tensor, steps: Tensor, low: int, high: int) -> Tensor:
    return (values / steps[:, None]).round_().clamp_(low, high)


def _squared_error(values: Tensor, steps: Tensor, low: int, high: int) -> Tensor:
    return _codes(values, steps, low, high).mul_(steps[:, None]).sub_(values).square_().sum(dim=1)


def _refit(values: Tensor, steps: Tensor, low: int, high: int) -> Tensor:
    codes = _codes(values, steps, low, high)
    fitted = (values * codes).sum(dim=1) / codes.square().sum(dim=1)
    return torch.where(torch.isfinite(fitted) & (fitted > 0), fitted, steps)


def _keep_better(
    values: Tensor, candidate: Tensor, best: Tensor, error: Tensor, low: int, high: int
) -> tuple[Tensor, Tensor]:
    candidate_error = _squared_error(values, candidate, low, high)
    better = candidate_error < error
    return torch.where(better, candidate, best), torch.where(better, candidate_error, error)
