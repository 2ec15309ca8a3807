"""Residual volume: L1 distances in a small window around a previous estimate."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.stereo.volumes.flow import ChannelFlow


class WarpedResidualVolume(nn.Module):
    """L1 distance between left features and right features fetched at the estimate plus each residual disparity.

    Source: AnyNet (Wang et al., ICRA 2019), section III-B. Interpretation, measured on the published weights:
    plane j stands for the residual ``j - radius`` but fetches at the estimate *minus* it, a mirrored window that the
    filter behind the volume has learned to read. (Unmirrored, D1 on KITTI 2015 goes from 6 to 52 %.)
    """

    workload_kind = "cost_volume"
    channel_flow = ChannelFlow.SUMMED

    def __init__(self, radius: int) -> None:
        super().__init__()
        self.radius = radius

    def forward(self, left: Tensor, right: Tensor, estimate: Tensor) -> Tensor:
        """From two maps ``[B, C, H, W]`` and disparity ``[B, H, W]`` in their pixels to ``[B, 2r + 1, H, W]``."""
        residuals = range(-self.radius, self.radius + 1)
        return torch.stack([(left - warp(right, estimate - step)).abs().sum(1) for step in residuals], dim=1)


def warp(right: Tensor, disparity: Tensor) -> Tensor:
    """Right features ``[B, C, H, W]`` fetched at ``x - disparity``, bilinearly, zero outside.

    The sampling grid spans the centres of the outermost pixels (``align_corners=True``), so that a whole-numbered
    disparity fetches exactly one column. Published weights that were trained so lose several points of D1 otherwise.

    Args:
        right: ``[B, C, H, W]``.
        disparity: ``[B, H, W]`` in pixels of that map.

    """
    height, width = right.shape[-2:]
    rows = torch.arange(height, device=right.device, dtype=disparity.dtype).view(1, -1, 1).expand_as(disparity)
    columns = torch.arange(width, device=right.device, dtype=disparity.dtype) - disparity
    grid = torch.stack([_normalised(columns, width), _normalised(rows, height)], dim=-1)
    return F.grid_sample(right, grid.to(right.dtype), mode="bilinear", padding_mode="zeros", align_corners=True)


def _normalised(positions: Tensor, size: int) -> Tensor:
    """Pixel positions as -1..1 between the centres of the first and last pixel."""
    return positions * (2.0 / max(size - 1, 1)) - 1.0
