"""Group-wise correlation volume."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.stereo.volumes.flow import ChannelFlow, kept_share


class GroupwiseVolume(nn.Module):
    """Mean over a group's channels of left features times right features shifted by each disparity.

    The channels are split into groups of neighbours, so that their number must stay divisible by the number of groups.
    Columns that the shifted right view does not reach (x < i) are zero.
    Source: GwcNet (Guo et al., CVPR 2019), equation 1.
    """

    workload_kind = "cost_volume"
    channel_flow = ChannelFlow.AVERAGED

    def __init__(self, planes: int, groups: int) -> None:
        super().__init__()
        self.planes = planes
        self.groups = groups
        self.averaged_channels: int | None = None

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """From two ``[B, C, H, W]`` feature maps to a volume ``[B, G, D, H, W]``.

        Raises:
            InputError: the number of channels is not a multiple of the number of groups.

        """
        if left.shape[1] % self.groups:
            raise InputError(
                "channels cannot be split into equal groups",
                found=left.shape[1],
                expected=f"a multiple of {self.groups}",
            )
        volume = torch.stack([self._correlate(left, right, shift) for shift in range(self.planes)], dim=2)
        share = kept_share(left.shape[1], self.averaged_channels)
        return volume if share == 1.0 else volume * share

    def _correlate(self, left: Tensor, right: Tensor, shift: int) -> Tensor:
        if shift >= left.shape[-1]:
            return torch.zeros_like(left[:, : self.groups])
        width = left.shape[-1] - shift
        products = left[..., shift:] * right[..., :width]
        grouped = products.view(left.shape[0], self.groups, -1, *products.shape[2:])
        return F.pad(grouped.mean(dim=2), (shift, 0))
