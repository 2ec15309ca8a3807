"""Ternary weights: zero, or a sign times one scale per filter.

A filter is projected onto signs: ``Q = s t`` with ``t = m sign(w)``, m the mask and the threshold, and a scale s of
least squares or, to keep the norm, ``||w|| / ||t||``. Training sees the filter as a direction on the sphere with a free
scale: the gradient passes straight through the signs and is projected onto the sphere's tangent, ``(I - u u^T) g``
with ``u = w / ||w||``; the scale's own gradient is exact.

Source: Pruning Ternary Quantization (arXiv 2107.10998), of which the abstract is known: signs of regular weights by
pruning and projection with the L2 norm, and a refined straight-through estimator. Interpretation: everything else, and
that the scale is explicit, since BatchNorm is folded before. The published method has no threshold and keeps norms
(`threshold = 0`, `scale = "norm"`): the mask alone makes zeros, and a layer that was not pruned becomes
binary. The defaults are those of Li and Liu, Ternary Weight Networks, 2016, over the non-zero weights: a threshold of
0.7 mean magnitudes and the scale of least squares. After Taylor pruning, which keeps small weights that matter, they
halve the error (benchmarks/results/stage_two.md).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from disparsity.quant.grids.levels import Levels
from disparsity.quant.grids.step_search import initial_steps
from disparsity.quant.grids.steps import step_from_log
from disparsity.quant.quantizers.grid import GridWeight, rows_of_groups, steps_by_rule
from disparsity.quant.quantizers.settings import NormStepSettings, StepRule, TernarySettings

BITS = 2


class TernaryWeight(GridWeight):
    """Signs times a learned scale for all weights that share a step.

    Args:
        steps: ``[G]`` first scales.
        axis: the weight's axis that counts output channels.
        channels: its length.
        group: output channels that share a scale.
        threshold: weights below this fraction of the mean magnitude become 0.

    """

    kind = "ternary"

    def __init__(self, steps: Tensor, *, axis: int, channels: int, group: int, threshold: float) -> None:
        super().__init__(steps, levels=Levels(BITS), axis=axis, channels=channels, group=group)
        self.threshold = threshold

    def forward(self, weight: Tensor) -> Tensor:
        """``scale * sign(weight)`` where the weight is above the threshold, else 0; the same shape."""
        step = self._along(step_from_log(self.log_step), weight)
        rows = rows_of_groups(weight, self.axis, self.group)
        signs = self._signs(weight.detach(), rows.detach())
        count = (rows_of_groups(signs, self.axis, self.group) != 0).sum(dim=1)
        norm = torch.linalg.vector_norm(rows, dim=1).clamp(min=torch.finfo(weight.dtype).tiny)
        # The filter with the norm of the result: its derivative is the estimator's, its value is not used.
        smooth = weight * (step.detach() * self._along(count.sqrt() / norm, weight))
        return signs * step + (smooth - smooth.detach())

    def settings(self) -> dict[str, Any]:
        """What its structure depends on, by the names that checkpoints use."""
        return {**super().settings(), **({"ternary_threshold": self.threshold} if self.threshold else {})}

    def _signs(self, weight: Tensor, rows: Tensor) -> Tensor:
        return weight.sign() * (weight.abs() >= self._along(self.threshold * _mean(rows), weight))


def ternary_weight(
    weight: Tensor, bits: int, axis: int, settings: TernarySettings, fitted: bool = True
) -> TernaryWeight:
    """A weight quantizer for the non-zero values of `weight`.

    Raises:
        InputError: a weight is not finite.

    """
    assert bits == BITS
    group = settings.granularity.channels_per_step(weight.shape[axis])
    rows = rows_of_groups(weight.detach(), axis, group)
    kept = rows * (rows.abs() >= settings.threshold * _mean(rows)[:, None])
    return TernaryWeight(
        _scales(rows, kept, settings.scale, fitted),
        axis=axis,
        channels=weight.shape[axis],
        group=group,
        threshold=settings.threshold,
    )


def _scales(rows: Tensor, kept: Tensor, rule: StepRule | NormStepSettings, fitted: bool) -> Tensor:
    """First scales ``[G]`` of rows ``[G, N]`` of which the threshold has kept some."""
    if not isinstance(rule, NormStepSettings):
        return steps_by_rule(kept, Levels(1), rule, fitted)
    ones, count = initial_steps(kept, Levels(1), "unit"), torch.count_nonzero(kept, dim=1)
    norms = torch.linalg.vector_norm(rows, dim=1) / count.clamp(min=1).sqrt()
    return torch.where(count > 0, norms, ones) if fitted else ones


def _mean(rows: Tensor) -> Tensor:
    """The mean magnitude of the non-zero values of every row, 0 without any."""
    return rows.abs().sum(dim=1) / torch.count_nonzero(rows, dim=1).clamp(min=1)
