"""Interlaced volume: a small network scores each disparity from the interleaved channels of both views."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.stereo.volumes.flow import ChannelFlow


class Interlace(nn.Module):
    """Left and right features with their channels in turn, over the columns that both views reach at one shift."""

    workload_kind = "cost_volume"
    channel_flow = ChannelFlow.MIXED

    def forward(self, left: Tensor, right: Tensor, shift: int) -> Tensor:
        """From two ``[B, C, H, W]`` to ``[B, 1, 2C, H, W - shift]``: channel 2c is left's c, 2c + 1 is right's."""
        width = left.shape[-1]
        pair = torch.stack([left[..., shift:], right[..., : width - shift]], dim=2)
        return pair.flatten(1, 2).unsqueeze(1)


class InterlacedVolume(nn.Module):
    """One plane per disparity, made by `matcher` from the interlaced views.

    The matcher is run once per disparity, always on the same number of channels, so that its work is static.
    Columns that the shifted right view does not reach (x < i) are zero.
    Source: MobileStereoNet (Shamsafar et al., WACV 2022).

    Args:
        planes: number of disparities.
        matcher: from ``[B, 1, 2C, H, W]`` to ``[B, 1, H, W]``, for any W.

    """

    def __init__(self, planes: int, matcher: nn.Module) -> None:
        super().__init__()
        self.planes = planes
        self.interlace = Interlace()
        self.matcher = matcher

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """From two ``[B, C, H, W]`` feature maps to ``[B, D, H, W]``."""
        return torch.cat([self._plane(left, right, shift) for shift in range(self.planes)], dim=1)

    def _plane(self, left: Tensor, right: Tensor, shift: int) -> Tensor:
        if shift >= left.shape[-1]:
            return torch.zeros_like(left[:, :1])
        return F.pad(self.matcher(self.interlace(left, right, shift)), (shift, 0))
