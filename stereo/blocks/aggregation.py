"""Small parts of 3D aggregation, and how weights of these networks start."""

from __future__ import annotations

import math

from torch import nn

from disparsity.stereo.blocks.conv_norm import conv_norm_3d


def entry(inputs: int, width: int) -> nn.Sequential:
    """Two convolutions with BatchNorm and ReLU, from the volume's channels to the aggregation's."""
    return nn.Sequential(conv_norm_3d(inputs, width), nn.ReLU(), conv_norm_3d(width, width), nn.ReLU())


def residual(width: int) -> nn.Sequential:
    """Two convolutions with BatchNorm and a ReLU between them, to be added to their input."""
    return nn.Sequential(conv_norm_3d(width, width), nn.ReLU(), conv_norm_3d(width, width))


def classifier(width: int) -> nn.Sequential:
    """From a volume ``[B, C, D, H, W]`` to the score of every disparity ``[B, 1, D, H, W]``."""
    return nn.Sequential(conv_norm_3d(width, width), nn.ReLU(), nn.Conv3d(width, 1, 3, padding=1, bias=False))


def initialise(network: nn.Module) -> None:
    """Normal weights with variance ``2 / (kernel volume * output channels)`` in all plain convolutions.

    Source: He et al., ICCV 2015, equation 14, as PSMNet and GwcNet use it.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            fan_out = math.prod(module.kernel_size) * module.out_channels
            nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan_out))
