"""AnyNet's feature tower: a small U-Net with outputs at 1/16, 1/8 and 1/4 of the image.

Names as in the published checkpoints.
Source: AnyNet (Wang et al., ICRA 2019), section III-A.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.stereo.blocks.pre_activation import pre_activation_2d


class UNetTower(nn.Module):
    """Features of a view at three scales.

    Args:
        width: base width c; the scales have 8c, 4c and 2c channels, coarse to fine.

    """

    def __init__(self, width: int) -> None:
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1), pre_activation_2d(width, width, stride=2))
        self.block0 = nn.Sequential(stem, _stage(width, 2 * width))
        self.blocks = nn.ModuleList([_stage(2 * width, 4 * width), _stage(4 * width, 8 * width)])
        self.upblocks = nn.ModuleList([_UpBlock(12 * width, 4 * width), _UpBlock(6 * width, 2 * width)])

    def forward(self, view: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """From ``[B, 3, H, W]`` to ``[B, 8c, H/16, W/16]``, ``[B, 4c, H/8, W/8]`` and ``[B, 2c, H/4, W/4]``."""
        quarter = self.block0(view)
        eighth = self.blocks[0](quarter)
        coarse = self.blocks[1](eighth)
        middle = self.upblocks[0](eighth, coarse)
        return coarse, middle, self.upblocks[1](quarter, middle)


class _UpBlock(nn.Module):
    """Doubles the coarse features, puts the skip in front of them and merges both."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(pre_activation_2d(inputs, outputs), pre_activation_2d(outputs, outputs))

    def forward(self, skip: Tensor, coarse: Tensor) -> Tensor:
        """From a skip ``[B, C_s, H, W]`` and ``[B, C_c, H/2, W/2]`` to ``[B, C, H, W]``."""
        doubled = F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=True)
        return self.conv(torch.cat([skip, doubled], dim=1))


def _stage(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.MaxPool2d(2), pre_activation_2d(inputs, outputs), pre_activation_2d(outputs, outputs))
