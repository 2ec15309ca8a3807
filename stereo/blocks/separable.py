"""Depthwise-separable blocks: MobileNet's, its second version's, and an hourglass made of the latter."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.stereo.blocks.conv_norm import conv_norm_2d

_HOURGLASS_EXPANSION = 2


def depthwise(width: int, stride: int, dilation: int) -> tuple[nn.Module, ...]:
    """A depthwise 3x3 convolution, BatchNorm, and ReLU up to 6."""
    convolution = nn.Conv2d(
        width, width, 3, stride=stride, padding=dilation, dilation=dilation, groups=width, bias=False
    )
    return convolution, nn.BatchNorm2d(width), nn.ReLU6()


class SeparableBlock(nn.Module):
    """Two depthwise-separable convolutions, the input added at the end, without an activation after that.

    Source: MobileNets (Howard et al., 2017), section 3.1, in the residual form of MobileStereoNet (WACV 2022).
    """

    def __init__(self, inputs: int, outputs: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.first = nn.Sequential(*depthwise(inputs, stride, dilation), *conv_norm_2d(inputs, outputs, 1), nn.ReLU6())
        self.second = nn.Sequential(*depthwise(outputs, 1, dilation), *conv_norm_2d(outputs, outputs, 1))
        self.shortcut = None if stride == 1 and inputs == outputs else conv_norm_2d(inputs, outputs, 1, stride=stride)

    def forward(self, features: Tensor) -> Tensor:
        """From ``[B, C_in, H, W]`` to ``[B, C_out, H/stride, W/stride]``."""
        kept = features if self.shortcut is None else self.shortcut(features)
        return self.second(self.first(features)) + kept


class InvertedResidual(nn.Module):
    """Expand, filter each channel separately, project; the input is added where shapes allow that.

    Source: MobileNetV2 (Sandler et al., CVPR 2018), table 1.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = inputs * expansion
        self.expand = nn.Sequential(*conv_norm_2d(inputs, width, 1), nn.ReLU6())
        self.filter = nn.Sequential(*depthwise(width, stride, 1))
        self.project = conv_norm_2d(width, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """From ``[B, C_in, H, W]`` to ``[B, C_out, H/stride, W/stride]``."""
        narrow = self.project(self.filter(self.expand(features)))
        return features + narrow if self.residual else narrow


class SeparableHourglass(nn.Module):
    """Down to a quarter and up again, with an inverted residual on either skip connection.

    Source: MobileStereoNet (Shamsafar et al., WACV 2022).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.down1 = nn.Sequential(_inverted(width, 2 * width, 2), _inverted(2 * width, 2 * width, 1))
        self.down2 = nn.Sequential(_inverted(2 * width, 4 * width, 2), _inverted(4 * width, 4 * width, 1))
        self.up2 = _upsampling(4 * width, 2 * width)
        self.up1 = _upsampling(2 * width, width)
        self.skip2 = _inverted(2 * width, 2 * width, 1)
        self.skip1 = _inverted(width, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """From ``[B, C, H, W]``, H and W divisible by 4, to the same shape."""
        half = self.down1(features)
        up = F.relu(self.up2(self.down2(half)) + self.skip2(half))
        return F.relu(self.up1(up) + self.skip1(features))


def _inverted(inputs: int, outputs: int, stride: int) -> InvertedResidual:
    return InvertedResidual(inputs, outputs, stride, _HOURGLASS_EXPANSION)


def _upsampling(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1, bias=False),
        nn.BatchNorm2d(outputs),
    )
