"""Photometric loss without labels: difference between the left view and the right view warped by the disparity."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from disparsity.base.distributed import mean_count
from disparsity.stereo.volumes.warped import warp

_SSIM_SHARE, _WINDOW = 0.85, 3
_TOLERANCE_PX = 1.0


def photometric_error(left: Tensor, right: Tensor, disparity: Tensor) -> Tensor:
    """``0.85 (1 - SSIM) / 2 + 0.15 |left - warped right|`` of every pixel, mean over the colours, 0..1.

    Args:
        left: ``[B, 3, H, W]`` in 0..1.
        right: the same shape.
        disparity: ``[B, H, W]`` in pixels.

    Source: Monodepth (Godard et al., CVPR 2017), equation 2. Interpretation: SSIM in a Gaussian window of 3 x 3 pixels,
    kornia's, instead of a uniform one.

    """
    from kornia.metrics import ssim  # noqa: PLC0415 - slow to import, and few recipes use it

    warped = warp(right, disparity)
    similarity = ssim(left, warped, _WINDOW)
    unlike = ((1.0 - similarity) / 2.0).clamp(0.0, 1.0)
    return (_SSIM_SHARE * unlike + (1.0 - _SSIM_SHARE) * (left - warped).abs()).mean(dim=1)


def photometric_loss(
    maps: Sequence[Tensor], left: Tensor, right: Tensor, visible: Tensor, weights: Sequence[float]
) -> Tensor:
    """Weighted sum over the maps of the mean photometric error over pixels that both views see.

    Args:
        maps: disparity ``[B, H, W]`` each, in pixels.
        left: ``[B, 3, H, W]`` in 0..1.
        right: the same shape.
        visible: ``[B, H, W]`` bool, from `visible_in_both`; a batch without such a pixel gives 0.
        weights: one weight per map; where there are more weights than maps, the finest maps' come last.

    """
    count = mean_count(visible.sum()).clamp(min=1)
    total = left.new_zeros(())
    for disparity, weight in zip(maps, weights[-len(maps) :], strict=True):
        error = photometric_error(left, right, disparity.to(left.dtype))
        total = total + weight * (error * visible).sum() / count
    return total


@torch.no_grad()
def visible_in_both(left_disparity: Tensor, right_disparity: Tensor) -> Tensor:
    """Left-right check: which left pixels land inside the right view, on a pixel that points back within 1 px.

    Args:
        left_disparity: ``[B, H, W]`` in pixels, of the left view.
        right_disparity: the same shape, of the right view.

    Returns:
        ``[B, H, W]`` bool.

    """
    columns = torch.arange(left_disparity.shape[-1], device=left_disparity.device) - left_disparity
    inside = (columns >= 0) & (columns <= left_disparity.shape[-1] - 1)
    back = warp(right_disparity.unsqueeze(1), left_disparity).squeeze(1)
    return inside & ((left_disparity - back).abs() <= _TOLERANCE_PX)


@torch.no_grad()
def disparities_of_both(estimate: Callable[[Tensor, Tensor], Tensor], left: Tensor, right: Tensor) -> list[Tensor]:
    """The maps ``[B, H, W]`` of the left and of the right view, from an estimator of left maps.

    The right view is the left one of the pair seen in a mirror.

    Args:
        estimate: from views ``[B, 3, H, W]`` to the left view's disparity ``[B, H, W]``.
        left: ``[B, 3, H, W]``.
        right: the same shape.

    """
    return [estimate(left, right).float(), estimate(right.flip(-1), left.flip(-1)).flip(-1).float()]
