"""Encoder-decoders on a cost volume: two halvings, two doublings, skips between equal sizes.

Shape legend: volumes are ``[B, C, D, H, W]``; D, H and W are multiples of 4. Names as in the published checkpoints.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.stereo.blocks.conv_norm import conv_norm_3d, doubling_norm_3d


class LinkedHourglass(nn.Module):
    """An hourglass whose half-size volumes are inputs of the next one. Source: PSMNet (CVPR 2018), section 3.4."""

    def __init__(self, width: int) -> None:
        super().__init__()
        double = 2 * width
        self.conv1 = nn.Sequential(conv_norm_3d(width, double, stride=2), nn.ReLU())
        self.conv2 = conv_norm_3d(double, double)
        self.conv3 = nn.Sequential(conv_norm_3d(double, double, stride=2), nn.ReLU())
        self.conv4 = nn.Sequential(conv_norm_3d(double, double), nn.ReLU())
        self.conv5 = doubling_norm_3d(double, double)
        self.conv6 = doubling_norm_3d(double, width)

    def forward(self, volume: Tensor, before: Tensor | None, after: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """One pass.

        Args:
            volume: ``[B, C, D, H, W]``.
            before: the first hourglass's half-size volume on the way down; None in the first one.
            after: the previous hourglass's half-size volume on the way up; None in the first one.

        Returns:
            the result in the shape of `volume`, and this hourglass's half-size volumes on the way down and up.

        """
        down = self.conv2(self.conv1(volume))
        down = F.relu(down if after is None else down + after)
        up = self.conv5(self.conv4(self.conv3(down)))
        up = F.relu(up + (down if before is None else before))
        return self.conv6(up), down, up


class RedirectedHourglass(nn.Module):
    """An hourglass with 1x1x1 convolutions on its skips and four times the width inside.

    Source: GwcNet (Guo et al., CVPR 2019), section 3.3.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        double, inner = 2 * width, 4 * width
        self.conv1 = nn.Sequential(conv_norm_3d(width, double, stride=2), nn.ReLU())
        self.conv2 = nn.Sequential(conv_norm_3d(double, double), nn.ReLU())
        self.conv3 = nn.Sequential(conv_norm_3d(double, inner, stride=2), nn.ReLU())
        self.conv4 = nn.Sequential(conv_norm_3d(inner, inner), nn.ReLU())
        self.conv5 = doubling_norm_3d(inner, double)
        self.conv6 = doubling_norm_3d(double, width)
        self.redir1 = conv_norm_3d(width, width, 1)
        self.redir2 = conv_norm_3d(double, double, 1)

    def forward(self, volume: Tensor) -> Tensor:
        """From ``[B, C, D, H, W]`` to the same shape."""
        half = self.conv2(self.conv1(volume))
        up = F.relu(self.conv5(self.conv4(self.conv3(half))) + self.redir2(half))
        return F.relu(self.conv6(up) + self.redir1(volume))
