"""Concatenation volume."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.stereo.volumes.flow import ChannelFlow


class ConcatenationVolume(nn.Module):
    """Left features and right features shifted by each disparity, one after the other along the channels.

    Channel c of the left features is channel c of the volume, channel c of the right features is channel C + c: what is
    removed from a siamese tower's output is removed from both halves. Columns that the shifted right view does not
    reach (x < i) are zero in both halves.
    Source: GC-Net (Kendall et al., ICCV 2017), section 3.2; zeros as in PSMNet (Chang and Chen, CVPR 2018).
    """

    workload_kind = "cost_volume"
    channel_flow = ChannelFlow.JOINED

    def __init__(self, planes: int) -> None:
        super().__init__()
        self.planes = planes

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """From two ``[B, C, H, W]`` feature maps to a volume ``[B, 2C, D, H, W]``."""
        return torch.stack([_shifted_pair(left, right, shift) for shift in range(self.planes)], dim=2)


def _shifted_pair(left: Tensor, right: Tensor, shift: int) -> Tensor:
    if shift == 0:
        return torch.cat([left, right], dim=1)
    if shift >= left.shape[-1]:
        return torch.zeros_like(torch.cat([left, right], dim=1))
    return F.pad(torch.cat([left[..., shift:], right[..., :-shift]], dim=1), (shift, 0))
