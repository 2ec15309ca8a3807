"""ResNet-20 against the published size and a count by hand."""

from __future__ import annotations

import torch
from classification.resnet20 import Block, ResNet20, seeded_resnet20
from torch import nn


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_it_has_the_published_number_of_parameters() -> None:
    convolutions = 9 * (3 * 16 + 6 * 16 * 16 + 16 * 32 + 5 * 32 * 32 + 32 * 64 + 5 * 64 * 64)
    norms = 2 * (7 * 16 + 6 * 32 + 6 * 64)
    assert parameters(ResNet20()) == convolutions + norms + 64 * 10 + 10
    assert round(parameters(ResNet20()) / 1e6, 2) == 0.27


def test_it_has_twenty_layers_with_weights() -> None:
    assert sum(isinstance(module, nn.Conv2d | nn.Linear) for module in ResNet20().modules()) == 20


def test_scores_of_both_sizes_of_images() -> None:
    network = ResNet20(channels=1, classes=7).eval()
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 7)
    assert network(torch.zeros(3, 1, 32, 32)).shape == (3, 7)


def test_the_shortcut_takes_every_second_pixel_and_adds_zeros() -> None:
    block = Block(2, 4, 2).eval()
    nn.init.zeros_(block.norm2.weight)
    images = torch.rand(1, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    result = block(images)
    assert torch.equal(result[:, :2], images[:, :, ::2, ::2])
    assert result.shape == (1, 4, 3, 3)
    assert not result[:, 2:].any()


def test_weights_come_from_the_seed_alone() -> None:
    before = torch.random.get_rng_state()
    one, same, other = (seeded_resnet20(1, 10, seed).conv.weight for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.random.get_rng_state(), before)
