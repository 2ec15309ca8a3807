"""Convolutions in pre-activation order: BatchNorm, ReLU, convolution without bias.

The three are children `0`, `1` and `2` of a Sequential, as in the published checkpoints of AnyNet.
Source of the order: He et al., Identity mappings in deep residual networks, ECCV 2016.
"""

from __future__ import annotations

from torch import nn


def pre_activation_2d(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    """BatchNorm, ReLU and a 3x3 convolution that keeps the size at stride 1."""
    conv = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(), conv)


def pre_activation_3d(inputs: int, outputs: int) -> nn.Sequential:
    """BatchNorm, ReLU and a 3x3x3 convolution that keeps the size."""
    conv = nn.Conv3d(inputs, outputs, 3, padding=1, bias=False)
    return nn.Sequential(nn.BatchNorm3d(inputs), nn.ReLU(), conv)
