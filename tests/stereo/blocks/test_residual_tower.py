"""The residual tower: resolutions, widths and dilations of its stages, and the block's addition."""

from __future__ import annotations

import torch
from torch import nn

from disparsity.stereo.blocks.residual_tower import ResidualBlock, ResidualTower


def test_stages_have_the_published_widths_strides_and_dilations() -> None:
    tower = ResidualTower(4, 2).eval()
    with torch.no_grad():
        second, third, fourth = tower.stages(torch.rand(1, 3, 32, 48))
    assert second.shape == (1, 8, 8, 12)
    assert third.shape == fourth.shape == (1, 16, 8, 12)
    dilations = {name.split(".")[0]: m.dilation for name, m in tower.named_modules() if isinstance(m, nn.Conv2d)}
    assert dilations == {"firstconv": (1, 1), "layer1": (1, 1), "layer2": (1, 1), "layer3": (1, 1), "layer4": (2, 2)}
    # Source: PSMNet table 1: 3 convolutions, 3 + 16 + 3 + 3 blocks of two, and two projections on shortcuts
    full = ResidualTower(32, 16)
    assert sum(isinstance(m, nn.Conv2d) for m in full.modules()) == 3 + 2 * 25 + 2


def test_block_adds_its_input_without_an_activation() -> None:
    block = ResidualBlock(2, 2).eval()
    features = torch.randn(1, 2, 5, 5)
    with torch.no_grad():
        block.conv2[1].weight.zero_()
        assert torch.equal(block(features), features)
    assert block.downsample is None
    assert ResidualBlock(2, 3).downsample is not None
    assert ResidualBlock(2, 2, stride=2).downsample is not None
