"""Depthwise-separable blocks against the same computation written out channel by channel."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.stereo.blocks.separable import InvertedResidual, SeparableBlock, SeparableHourglass


def norm(layer: nn.Module, values: Tensor) -> Tensor:
    assert isinstance(layer, nn.BatchNorm2d)
    shape = (1, -1, 1, 1)
    assert layer.running_mean is not None
    assert layer.running_var is not None
    centred = (values - layer.running_mean.view(shape)) / (layer.running_var.view(shape) + layer.eps).sqrt()
    return centred * layer.weight.view(shape) + layer.bias.view(shape)


def each_channel(layer: nn.Module, values: Tensor, stride: int, dilation: int) -> Tensor:
    """A depthwise convolution, one channel at a time."""
    assert isinstance(layer, nn.Conv2d)
    results = [
        F.conv2d(values[:, c : c + 1], layer.weight[c : c + 1], stride=stride, padding=dilation, dilation=dilation)
        for c in range(values.shape[1])
    ]
    return torch.cat(results, dim=1)


def mixed(layer: nn.Module, values: Tensor) -> Tensor:
    """A 1x1 convolution as a matrix product over the channels."""
    assert isinstance(layer, nn.Conv2d)
    return torch.einsum("oi,bihw->bohw", layer.weight[:, :, 0, 0], values)


def randomised(module: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.1)
    return module.eval()


@pytest.mark.parametrize(("inputs", "outputs", "stride", "dilation"), [(4, 4, 1, 2), (4, 6, 2, 1)])
@torch.no_grad()
def test_separable_block(inputs: int, outputs: int, stride: int, dilation: int) -> None:
    block = SeparableBlock(inputs, outputs, stride, dilation)
    randomised(block)
    values = torch.randn(2, inputs, 8, 6) / 8
    first, second = block.first, block.second
    inner = F.relu6(norm(first[1], each_channel(first[0], values, stride, dilation)))
    inner = F.relu6(norm(first[4], mixed(first[3], inner)))
    inner = F.relu6(norm(second[1], each_channel(second[0], inner, 1, dilation)))
    inner = norm(second[4], mixed(second[3], inner))
    kept = values
    if block.shortcut is not None:
        kept = norm(block.shortcut[1], mixed(block.shortcut[0], values[..., ::stride, ::stride]))
    assert (block.shortcut is None) == (stride == 1)
    torch.testing.assert_close(block(values), inner + kept)


@pytest.mark.parametrize(("outputs", "stride"), [(3, 1), (3, 2), (5, 1)])
@torch.no_grad()
def test_inverted_residual(outputs: int, stride: int) -> None:
    block = InvertedResidual(3, outputs, stride, 4)
    randomised(block)
    values = torch.randn(2, 3, 6, 8) / 8
    inner = F.relu6(norm(block.expand[1], mixed(block.expand[0], values)))
    inner = F.relu6(norm(block.filter[1], each_channel(block.filter[0], inner, stride, 1)))
    inner = norm(block.project[1], mixed(block.project[0], inner))
    assert inner.shape[1] == outputs
    expected = inner + values if (outputs, stride) == (3, 1) else inner
    torch.testing.assert_close(block(values), expected)


@torch.no_grad()
def test_an_hourglass_keeps_the_shape_and_sees_further_than_its_skips() -> None:
    torch.manual_seed(0)
    block = SeparableHourglass(4).eval()
    values = torch.randn(1, 4, 16, 24)
    moved = values.clone()
    moved[..., 0, 0] += 10
    difference = (block(moved) - block(values)).abs().amax(dim=(0, 1))
    assert difference.shape == (16, 24)
    assert float(difference[:, 7:].max()) > 0  # the skips reach 1 and, at half the size, 2 * 2 + 1 columns
