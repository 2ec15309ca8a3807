"""Position-scaled steps: weights drift towards targets (zero, or a grid) while the network itself stays in float."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn

from disparsity.base.layers import channel_axis, effective_weight, trained_weight
from disparsity.finetune.optimizers.settings import GridTargetSettings, PSGDSettings, ZeroTargetSettings
from disparsity.quant.attach import weight_quantizer


def position_scale(layer: nn.Module, settings: PSGDSettings) -> Tensor:
    """``lambda |w - t(w)|`` of every trained weight of a layer, in the weight's shape.

    Source: PSGD (Kim, Yoo and Kwak, NeurIPS 2020), the position-based scale with target t(w); zero for pruning. The
    authors' code adds no constant, nor does this: a weight that is on its target stays there. Interpretation: `layer`,
    which lets a strength of 1 keep a layer's mean step.
    """
    weight = trained_weight(layer).detach()
    distance = (weight - _target(layer, weight, settings.target)).abs()
    if settings.scale == "absolute":
        return settings.strength * distance
    live = int(torch.count_nonzero(weight))
    mean = float(distance.sum(dtype=torch.float64)) / max(1, live)
    return settings.strength * (distance / mean if mean > 0.0 else distance)


def _target(layer: nn.Module, weight: Tensor, target: ZeroTargetSettings | GridTargetSettings) -> Tensor:
    if isinstance(target, ZeroTargetSettings):
        return torch.zeros_like(weight)
    if weight_quantizer(layer):
        return effective_weight(layer)
    return nearest_grid_point(weight, target.bits, channel_axis(layer) if target.grid == "channel" else None)


class PSGD:
    """An optimizer whose steps are scaled, weight by weight, by the distance to a target.

    The update is scaled, not the gradient: Adam divides by the gradient's own size and would cancel any factor on it.
    For SGD without momentum the two are the same, and the step is the source's
    ``w <- w - eta lambda |w - t(w)| g``. Interpretation: momentum and Adam, where the source's code scales the gradient
    that the momentum gathers. Weight decay is part of the update and is scaled with it.

    It has no state of its own.

    Args:
        optimizer: takes the steps.
        layers: whose weights are scaled; all other parameters move as ever.
        settings: of the scale of their steps.

    """

    def __init__(self, optimizer: torch.optim.Optimizer, layers: Collection[nn.Module], settings: PSGDSettings) -> None:
        self.optimizer = optimizer
        self._layers = list(layers)
        self._settings = settings

    @torch.no_grad()
    def step(self) -> None:
        """One step of the optimizer, scaled by where the weights were before it."""
        weights = [trained_weight(layer) for layer in self._layers]
        scales = [position_scale(layer, self._settings) for layer in self._layers]
        before = [weight.detach().clone() for weight in weights]
        self.optimizer.step()
        for weight, scale, old in zip(weights, scales, before, strict=True):
            weight.copy_(old + scale * (weight - old))


def nearest_grid_point(weight: Tensor, bits: int, axis: int | None = None) -> Tensor:
    """Every weight on the symmetric grid of ``2^bits - 1`` points whose outermost is the largest magnitude.

    Args:
        weight: of one layer, any shape.
        bits: 2 or more.
        axis: every index of this axis has a grid of its own; None gives the layer one.

    Source: the authors' code (PSG-pytorch): one step per layer, ``absmax / (2^(bits - 1) - 1)``. Interpretation: the
    present largest magnitude instead of its running average; and grids per output channel, which are the grids that
    quantization has after BatchNorm has been folded into the layer.

    """
    others = [each for each in range(weight.ndim) if each != axis]
    step = weight.abs().amax(dim=others, keepdim=True) / (2 ** (bits - 1) - 1)
    return torch.where(step > 0.0, torch.round(weight / step) * step, 0.0)
