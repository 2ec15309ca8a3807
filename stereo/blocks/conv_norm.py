"""Convolutions without bias, each followed by BatchNorm: the unit that most stereo networks are made of.

The two layers are children `0` and `1` of a Sequential, as in the published checkpoints of PSMNet and GwcNet.
"""

from __future__ import annotations

from torch import nn


def conv_norm_2d(inputs: int, outputs: int, kernel: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """A 2D convolution that keeps the size at stride 1, and BatchNorm."""
    padding = dilation * (kernel - 1) // 2
    conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, dilation=dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


def conv_norm_3d(inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1) -> nn.Sequential:
    """A 3D convolution that keeps the size at stride 1, and BatchNorm."""
    conv = nn.Conv3d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm3d(outputs))


def doubling_norm_3d(inputs: int, outputs: int) -> nn.Sequential:
    """A transposed 3x3x3 convolution that exactly doubles every size, and BatchNorm."""
    conv = nn.ConvTranspose3d(inputs, outputs, 3, stride=2, padding=1, output_padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm3d(outputs))
