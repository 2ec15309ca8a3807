"""Correlation volume."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.stereo.volumes.flow import ChannelFlow, kept_share


class CorrelationVolume(nn.Module):
    """Mean over the channels of left features times right features shifted by each disparity.

    The result has no channel axis: every disparity is a channel of a 2D feature map. Columns that the shifted right
    view does not reach (x < i) are zero.
    Source: DispNetC (Mayer et al., CVPR 2016): the 1D form of FlowNet's correlation layer.
    """

    workload_kind = "cost_volume"
    channel_flow = ChannelFlow.AVERAGED

    def __init__(self, planes: int) -> None:
        super().__init__()
        self.planes = planes
        self.groups = 1
        self.averaged_channels: int | None = None

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """From two ``[B, C, H, W]`` feature maps to ``[B, D, H, W]``."""
        volume = torch.stack([_shifted_correlation(left, right, shift) for shift in range(self.planes)], dim=1)
        share = kept_share(left.shape[1], self.averaged_channels)
        return volume if share == 1.0 else volume * share


def _shifted_correlation(left: Tensor, right: Tensor, shift: int) -> Tensor:
    if shift == 0:
        return (left * right).mean(dim=1)
    if shift >= left.shape[-1]:
        return torch.zeros_like(left[:, 0])
    return F.pad((left[..., shift:] * right[..., :-shift]).mean(dim=1), (shift, 0))
