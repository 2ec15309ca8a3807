"""GC-Net: the layers of the paper's table 1, the arithmetic of their parameters, shapes, and settings."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from disparsity.base.errors import InputError
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.gcnet import GCNetSettings

TINY: dict[str, Any] = {"width": 4, "blocks": 1, "max_disparity": 32}

# Source: GC-Net, table 1: (inputs, outputs, kernel) of every layer in order, F = 32, without biases and BatchNorm.
TABLE_1 = [
    (3, 32, 5**2),
    *[(32, 32, 3**2)] * 16,
    (32, 32, 3**2),
    (64, 32, 27),
    (32, 32, 27),
    *[(64, 64, 27)] * 9,
    (64, 128, 27),
    (128, 128, 27),
    (128, 128, 27),
    (128, 64, 27),
    (64, 64, 27),
    (64, 64, 27),
    (64, 32, 27),
    (32, 1, 27),
]


def test_layers_and_parameters_are_those_of_table_1() -> None:
    network = build_network("gcnet")
    kinds = nn.Conv2d | nn.Conv3d | nn.ConvTranspose3d
    layers = [module for module in network.modules() if isinstance(module, kinds)]
    assert len(TABLE_1) == 37
    found = sorted((layer.in_channels, layer.out_channels, layer.weight[0, 0].numel()) for layer in layers)
    assert found == sorted(TABLE_1)
    weights = sum(inputs * outputs * taps for inputs, outputs, taps in TABLE_1)
    norms = 2 * (17 * 32 + 2 * 32 + 9 * 64 + 3 * 128 + 3 * 64 + 32)  # all but layers 18 and 37
    biases = 32 + 1
    assert sum(p.numel() for p in network.parameters()) == weights + norms + biases == 2_845_409


def test_every_size_gives_one_finite_map() -> None:
    torch.manual_seed(0)
    network = build_network("gcnet", **TINY)
    for training in (False, True):
        network.train(training)
        (disparity,) = network(*torch.rand(2, 1, 3, 40, 70))
        assert disparity.shape == (1, 40, 70)
        assert bool(((disparity >= 0) & (disparity <= 31)).all())


def test_sizes_along_the_way_down_and_up() -> None:
    network, sizes = build_network("gcnet", **TINY).eval(), []
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv3d | nn.ConvTranspose3d) and max(module.stride) == 2:
            module.register_forward_hook(lambda _m, _i, out, name=name: sizes.append((name, tuple(out.shape[1:]))))
    with torch.no_grad():
        network(*torch.rand(2, 1, 3, 32, 64))
    down = [(8, 8, 8, 16), (8, 4, 4, 8), (8, 2, 2, 4), (16, 1, 1, 2)]
    up = [(8, 2, 2, 4), (8, 4, 4, 8), (8, 8, 8, 16), (4, 16, 16, 32), (1, 32, 32, 64)]
    assert [size for _, size in sizes] == down + up


def test_equal_costs_give_the_mean_disparity_and_the_lowest_cost_wins() -> None:
    network = build_network("gcnet", **TINY).eval()
    with torch.no_grad():
        network.aggregation.last.weight.zero_()
        (disparity,) = network(*torch.rand(2, 1, 3, 32, 32))
        torch.testing.assert_close(disparity, torch.full((1, 32, 32), 15.5))
        cost = torch.full((1, 1, 32, 32, 32), 90.0)
        cost[:, :, 7] = -90.0
        network.aggregation.last.register_forward_hook(lambda *_: cost)
        (disparity,) = network(*torch.rand(2, 1, 3, 32, 32))
        torch.testing.assert_close(disparity, torch.full((1, 32, 32), 7.0))


@pytest.mark.parametrize("changes", [{"width": 0}, {"blocks": 0}, {"max_disparity": 48}, {"max_disparity": -32}])
def test_impossible_settings_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"GC-Net .*found"):
        GCNetSettings(**(TINY | changes))
