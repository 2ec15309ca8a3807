"""Diagonal saliencies against the error that really arises when one weight is removed."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from disparsity.finetune.reconstruction.input_power import by_filter, diagonal_saliencies

LAYERS = {
    "transposed": nn.ConvTranspose3d(4, 3, 3, stride=2),
    "transposed, grouped": nn.ConvTranspose2d(4, 6, 2, stride=3, groups=2),
    "grouped": nn.Conv2d(4, 6, 1, groups=2),
    "depthwise": nn.Conv1d(4, 4, 1, groups=4),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_equals_the_error_of_removing_each_weight(kind: str) -> None:
    torch.manual_seed(0)
    layer = LAYERS[kind]
    inputs = torch.randn(2, 4, *[5] * (layer.weight.dim() - 2))
    network = nn.Sequential(layer)
    saliency = diagonal_saliencies(network, ["0"], lambda module: module(inputs))["0"]
    assert saliency.shape == layer.weight.shape
    stride = torch.tensor(layer.stride).prod() if "transposed" in kind else 1
    positions = inputs[:, 0].numel() * stride  # without the output's border
    with torch.no_grad():
        for index in range(0, layer.weight.numel(), 5):
            without = copy.deepcopy(layer)
            without.weight.view(-1)[index] = 0
            error = (layer(inputs) - without(inputs)).square().sum() / positions
            torch.testing.assert_close(saliency.view(-1)[index], 0.5 * error, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("kind", LAYERS)
def test_values_per_filter_meet_the_filters_weights(kind: str) -> None:
    torch.manual_seed(1)
    layer = LAYERS[kind]
    factors = torch.rand(layer.out_channels)
    inputs = torch.randn(1, 4, *[5] * (layer.weight.dim() - 2))
    scaled = copy.deepcopy(layer)
    with torch.no_grad():
        scaled.weight.mul_(by_filter(layer, factors))
        scaled.bias.mul_(factors)
        wanted = layer(inputs) * factors.view(-1, *[1] * (inputs.dim() - 2))
        torch.testing.assert_close(scaled(inputs), wanted)


def test_a_layer_that_is_not_run_scores_zero_and_the_mode_is_kept() -> None:
    network = nn.ModuleDict({"run": nn.Conv2d(1, 1, 1), "idle": nn.Conv2d(1, 1, 1)}).train()
    scores = diagonal_saliencies(network, ["run", "idle"], lambda module: module["run"](torch.ones(1, 1, 2, 2)))
    assert float(scores["idle"].abs().max()) == 0
    assert float(scores["run"]) > 0
    assert network.training
