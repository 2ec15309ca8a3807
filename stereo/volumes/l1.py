"""L1 distance volume."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.stereo.volumes.flow import ChannelFlow


class L1Volume(nn.Module):
    """Sum over channels of the absolute difference between left features and right features shifted by each disparity.

    The right view counts as zero where the shift leaves it, so that columns x < i hold the sum of absolute left
    features. Source: AnyNet (Wang et al., ICRA 2019), section III-B; the border is that of the published code.
    """

    workload_kind = "cost_volume"
    channel_flow = ChannelFlow.SUMMED

    def __init__(self, planes: int) -> None:
        super().__init__()
        self.planes = planes

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """From two ``[B, C, H, W]`` feature maps to distances ``[B, D, H, W]``."""
        width = right.shape[-1]
        shifted = (F.pad(right, (min(shift, width), 0))[..., :width] for shift in range(self.planes))
        return torch.stack([(left - view).abs().sum(1) for view in shifted], dim=1)
