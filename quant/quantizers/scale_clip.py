"""Scale-Clip: a uniform grid that ends at a fixed multiple of the mean magnitude, shared by groups of filters.

While the network trains, the range ``T = k mean|w|`` follows the weights of its group; otherwise it stays. Groups are
consecutive output channels (`granularity`, `group_size`), so that their scales go into the multipliers of
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
from disparsity.quant.grids.steps import to_float16
from disparsity.quant.quantizers.grid import GridWeight, fitted_steps, rows_of_groups
from disparsity.quant.quantizers.settings import QuantizerSettings


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
        """The fields of `QuantizerSettings` that its structure depends on."""
        return {"granularity": "per_group", "group_size": self.group, "scale_clip": self.scale}


def scale_clip_weight(
    weight: Tensor, bits: int, axis: int, initialisation: str, settings: QuantizerSettings | None = None
) -> ScaleClipWeight:
    """A weight quantizer with ranges of its own rule; of the initialisations it has `unit` only, for structures.

    Raises:
        InputError: a weight is not finite.

    """
    settings, levels = settings or QuantizerSettings(), Levels(bits)
    checked, group = fitted_steps(weight, levels, axis, "unit", settings)
    rows = rows_of_groups(weight.detach(), axis, group)
    measured = torch.where(rows.any(dim=1), clipping(rows, settings.scale_clip) / levels.high, checked)
    return ScaleClipWeight(
        checked if initialisation == "unit" else measured,
        levels=levels,
        axis=axis,
        channels=weight.shape[axis],
        group=group,
        scale=settings.scale_clip,
    )


def clipping(rows: Tensor, scale: float) -> Tensor:
    """``scale * mean|w|`` over the non-zero values of every row ``[G, N]``; 0 for rows of zeros."""
    return scale * rows.abs().sum(dim=1) / torch.count_nonzero(rows, dim=1).clamp(min=1)
