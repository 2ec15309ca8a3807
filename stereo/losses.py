"""Training losses on disparity."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from disparsity.base.distributed import mean_count


def smooth_l1(
    maps: Sequence[Tensor], truth: Tensor, valid: Tensor, weights: Sequence[float], count: Tensor | None = None
) -> Tensor:
    """Weighted sum over the maps of the mean smooth-L1 distance to the truth over valid pixels.

    Args:
        maps: disparity ``[B, H, W]`` each, in pixels.
        truth: ``[B, H, W]`` in pixels.
        valid: ``[B, H, W]`` bool; a batch without a valid pixel gives 0. Where processes share a batch, the mean of
            their losses is that of the whole batch.
        weights: one weight per map; where there are more weights than maps, the finest maps' come last. (A network in
            eval mode may leave out its coarse maps.)
        count: divisor of the sums over valid pixels, above 0; by default their number.

    Source: PSMNet (Chang and Chen, CVPR 2018), equation 2.

    """
    count = mean_count(valid.sum()).clamp(min=1) if count is None else count
    total = truth.new_zeros(())
    for disparity, weight in zip(maps, weights[-len(maps) :], strict=True):
        distance = F.smooth_l1_loss(disparity.float(), truth, reduction="none")
        total = total + weight * (distance * valid).sum() / count
    return total
