"""Reshaping before quantization: after every step, weights are clipped to a multiple of their mean magnitude."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from disparsity.base.layers import channel_axis, quantizable_layers, trained_weight
from disparsity.finetune.optimizers.settings import ScaleClipSettings
from disparsity.finetune.training import StepHook, Trainer
from disparsity.quant.quantizers.grid import rows_of_groups
from disparsity.quant.quantizers.scale_clip import clipping


class ScaleClip(StepHook):
    """Clips the weights of every compressed layer to ``k mean|w|`` of their group of output channels, in place.

    With k near 2 the weights come to fill the range evenly, which few bits represent best; the network itself stays in
    float. Source: Yu et al. (arXiv 1908.01477), Scale-Clip. Interpretation: the mean over non-zero weights, and that
    Adam's momentum forgets what pushes a clipped weight further out.

    Args:
        settings: k, and the groups.

    """

    def __init__(self, settings: ScaleClipSettings) -> None:
        self._scale, self._group = settings.scale, settings.group

    @torch.no_grad()
    def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
        """Clip, and calm the optimizer where something was clipped."""
        del step, loss
        for name, layer in quantizable_layers(trainer.network).items():
            if trainer.network.spec.compresses(name):
                weight = trained_weight(layer)
                clipped = self._clip(layer, weight)
                momentum = trainer.optimizer.state.get(weight, {}).get("exp_avg")
                if momentum is not None:
                    momentum.masked_fill_(clipped & (momentum * weight < 0), 0.0)

    def _clip(self, layer: nn.Module, weight: Tensor) -> Tensor:
        """Clip a weight; returns where."""
        axis = channel_axis(layer)
        ends = clipping(rows_of_groups(weight, axis, self._group), self._scale).repeat_interleave(self._group)
        shape = [1] * weight.ndim
        shape[axis] = -1
        bound = ends[: weight.shape[axis]].view(shape)
        clipped = weight.abs() > bound
        weight.copy_(weight.clamp(-bound, bound))
        return clipped
