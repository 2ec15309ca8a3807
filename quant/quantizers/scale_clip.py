"""Scale-Clip: a uniform grid that ends at a fixed multiple of the mean magnitude, shared by groups of filters.

While the network trains, the range ``T = k mean|w|`` follows the weights of its group; otherwise it stays. Groups are
consecutive output channels (`granularity`), so that their scales go into the multipliers of
the integer network.

Source: Yu et al., Low-Bit Quantization Needs Good Distribution (arXiv 1908.01477): the clipping value, k near 2 for
weights, and the groups. Interpretation: the mean is over non-zero weights, since over all weights of a pruned layer
the range shrinks with every update and destroys it; the gradient of the range itself is left out.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from disparsity.quant.grids.levels import Levels
from disparsity.quant.grids.step_search import initial_steps
from disparsity.quant.grids.steps import to_float16
from disparsity.quant.quantizers.grid import GridWeight, rows_of_groups
from disparsity.quant.quantizers.settings import ScaleClipSettings


class ScaleClipWeight(GridWeight):
    """A uniform grid whose range follows the mean magnitude.

    Args:
        steps: ``[G]`` first steps.
        levels: the integers that a code may be.
        axis: the weight's axis that counts output channels.
        channels: its length.
        group: output channels that share a range.
        scale: the range in mean magnitudes.

    """

    kind = "scale_clip"

    def __init__(self, steps: Tensor, *, levels: Levels, axis: int, channels: int, group: int, scale: float) -> None:
        super().__init__(steps, levels=levels, axis=axis, channels=channels, group=group, learned=False)
        self.scale = scale

    def forward(self, weight: Tensor) -> Tensor:
        """``step * clip(round(weight / step))``, the same shape; in training the steps are measured first."""
        if self.training:
            rows = rows_of_groups(weight.detach(), self.axis, self.group)
            live = rows.any(dim=1)
            found = to_float16(clipping(rows, self.scale) / self.levels.high).float().log()
            self.log_step.copy_(torch.where(live, found, self.log_step))
        return super().forward(weight)

    def settings(self) -> dict[str, Any]:
        """What its structure depends on, by the names that checkpoints use."""
        return {"granularity": "per_group", "group_size": self.group, "scale_clip": self.scale}


def scale_clip_weight(
    weight: Tensor, bits: int, axis: int, settings: ScaleClipSettings, fitted: bool = True
) -> ScaleClipWeight:
    """A weight quantizer with ranges of its own rule.

    Raises:
        InputError: a weight is not finite.

    """
    levels, group = Levels(bits), settings.granularity.channels_per_step(weight.shape[axis])
    rows = rows_of_groups(weight.detach(), axis, group)
    checked = initial_steps(rows, levels, "unit")
    measured = torch.where(rows.any(dim=1), clipping(rows, settings.scale) / levels.high, checked)
    return ScaleClipWeight(
        measured if fitted else checked,
        levels=levels,
        axis=axis,
        channels=weight.shape[axis],
        group=group,
        scale=settings.scale,
    )


def clipping(rows: Tensor, scale: float) -> Tensor:
    """``scale * mean|w|`` over the non-zero values of every row ``[G, N]``; 0 for rows of zeros."""
    return scale * rows.abs().sum(dim=1) / torch.count_nonzero(rows, dim=1).clamp(min=1)
