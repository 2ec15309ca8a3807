"""Residual feature tower that PSMNet introduced and GwcNet kept: quarter resolution, four stages.

Shape legend: B batch, H and W of the image, c the base width.
Source: PSMNet (Chang and Chen, CVPR 2018), table 1. Names as in the published checkpoints.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.stereo.blocks.conv_norm import conv_norm_2d


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with BatchNorm beside the input; there is no activation after the addition."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(conv_norm_2d(inputs, outputs, 3, stride=stride, dilation=dilation), nn.ReLU())
        self.conv2 = conv_norm_2d(outputs, outputs, 3, dilation=dilation)
        changes = stride != 1 or inputs != outputs
        self.downsample = conv_norm_2d(inputs, outputs, 1, stride=stride) if changes else None

    def forward(self, features: Tensor) -> Tensor:
        """From ``[B, C_in, H, W]`` to ``[B, C_out, H / stride, W / stride]``."""
        beside = features if self.downsample is None else self.downsample(features)
        return self.conv2(self.conv1(features)) + beside


class ResidualTower(nn.Module):
    """Three convolutions at half resolution, then stages of 3, `blocks`, 3 and 3 residual blocks.

    Args:
        width: base width c.
        blocks: residual blocks of the second stage; 16 in the published networks.

    """

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.firstconv = nn.Sequential(
            *(conv_norm_2d(3, width, 3, stride=2), nn.ReLU()),
            *(conv_norm_2d(width, width, 3), nn.ReLU()),
            *(conv_norm_2d(width, width, 3), nn.ReLU()),
        )
        self.layer1 = _stage(width, width, 3)
        self.layer2 = _stage(width, 2 * width, blocks, stride=2)
        self.layer3 = _stage(2 * width, 4 * width, 3)
        self.layer4 = _stage(4 * width, 4 * width, 3, dilation=2)

    def stages(self, view: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Outputs of the stages 2, 3 and 4, ``[B, 2c | 4c | 4c, H/4, W/4]``, from a view ``[B, 3, H, W]``."""
        second = self.layer2(self.layer1(self.firstconv(view)))
        third = self.layer3(second)
        return second, third, self.layer4(third)


def feature_head(inputs: int, inner: int, outputs: int) -> nn.Sequential:
    """3x3 convolution with BatchNorm and ReLU, then a 1x1 convolution: from gathered stages to matching features."""
    return nn.Sequential(conv_norm_2d(inputs, inner, 3), nn.ReLU(), nn.Conv2d(inner, outputs, 1, bias=False))


def upsample_like(features: Tensor, like: Tensor, *, align_corners: bool) -> Tensor:
    """Bilinear interpolation of ``[B, C, h, w]`` to the height and width of `like`."""
    return F.interpolate(features, size=like.shape[-2:], mode="bilinear", align_corners=align_corners)


def _stage(inputs: int, outputs: int, blocks: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    first = ResidualBlock(inputs, outputs, stride=stride, dilation=dilation)
    return nn.Sequential(first, *(ResidualBlock(outputs, outputs, dilation=dilation) for _ in range(blocks - 1)))
