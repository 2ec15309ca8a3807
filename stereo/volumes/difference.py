"""Difference volume."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.stereo.volumes.flow import ChannelFlow


class DifferenceVolume(nn.Module):
    """Left features minus right features shifted by each disparity.

    Columns that the shifted right view does not reach (x < i) are zero.
    Source: StereoNet (Khamis et al., ECCV 2018), section 3.2.
    """

    workload_kind = "cost_volume"
    channel_flow = ChannelFlow.PAIRED

    def __init__(self, planes: int) -> None:
        super().__init__()
        self.planes = planes

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """From two ``[B, C, H, W]`` feature maps to a volume ``[B, C, D, H, W]``."""
        return torch.stack([_shifted_difference(left, right, shift) for shift in range(self.planes)], dim=2)


def _shifted_difference(left: Tensor, right: Tensor, shift: int) -> Tensor:
    if shift == 0:
        return left - right
    if shift >= left.shape[-1]:
        return torch.zeros_like(left)
    return F.pad(left[..., shift:] - right[..., :-shift], (shift, 0))
