"""Spatial pyramid pooling on top of the residual tower: every pixel's features include context of several sizes.

Source: PSMNet (Chang and Chen, CVPR 2018), section 3.2 and table 1. Names as in the published checkpoints.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.stereo.blocks.conv_norm import conv_norm_2d
from disparsity.stereo.blocks.residual_tower import ResidualTower, feature_head, upsample_like


class WindowPool(nn.Module):
    """Mean over square windows that do not overlap.

    A map smaller than the window is one window. (Interpretation: the published code refuses such images.)
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, features: Tensor) -> Tensor:
        """From ``[B, C, H, W]`` to ``[B, C, H // side, W // side]``, at least one row and column."""
        height, width = features.shape[-2:]
        return F.avg_pool2d(features, (min(self.side, height), min(self.side, width)))


class PyramidTower(ResidualTower):
    """The residual tower, four pooled views of its last stage, and a head that merges all.

    Args:
        width: base width c, also of the output.
        blocks: residual blocks of the second stage.
        largest_pool: side of the largest pooling window at quarter resolution; each further one is half as large.
        align_corners: of the bilinear up-sampling.

    """

    def __init__(self, width: int, blocks: int, largest_pool: int, *, align_corners: bool) -> None:
        super().__init__(width, blocks)
        self.align_corners = align_corners
        self.branch1 = self._branch(width, largest_pool)
        self.branch2 = self._branch(width, largest_pool // 2)
        self.branch3 = self._branch(width, largest_pool // 4)
        self.branch4 = self._branch(width, largest_pool // 8)
        self.lastconv = feature_head(10 * width, 4 * width, width)

    def forward(self, view: Tensor) -> Tensor:
        """From ``[B, 3, H, W]`` to features ``[B, c, H/4, W/4]``."""
        second, _, fourth = self.stages(view)
        pooled = [branch(fourth) for branch in (self.branch4, self.branch3, self.branch2, self.branch1)]
        raised = [upsample_like(item, fourth, align_corners=self.align_corners) for item in pooled]
        return self.lastconv(torch.cat([second, fourth, *raised], dim=1))

    @staticmethod
    def _branch(width: int, side: int) -> nn.Sequential:
        return nn.Sequential(WindowPool(side), conv_norm_2d(4 * width, width, 1), nn.ReLU())
