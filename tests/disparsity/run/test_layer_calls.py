"""Calls of layers: a layer that stays as it was built, called once or several times, and one that does not."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from disparsity.base.errors import InputError
from disparsity.run.layer_calls import check_weights, unchanging_layers
from disparsity.stereo.networks.users import AdoptedNetwork
from disparsity.stereo.spec import NetworkSpec

VIEWS = torch.zeros(2, 1, 3, 8, 16).unbind()


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tower, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(8, 1, 1)
        self.dilation, self.outside = 1, False

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        first = self.tower(left)
        self.tower.dilation, self.tower.padding = (self.dilation,) * 2, (self.dilation,) * 2
        second = self.tower(right)
        self.tower.dilation, self.tower.padding = (1, 1), (1, 1)
        scale = self.tower.weight.sum() if self.outside else 1.0
        return self.head(torch.cat([first, second], 1)).squeeze(1) * scale


def adopted(**more: tuple[str, ...]) -> AdoptedNetwork:
    values = {"settings": {}, "divisor": 4, "mean": (0.0,) * 3, "std": (1.0,) * 3, "max_disparity": 8, **more}
    return AdoptedNetwork(Pair(), NetworkSpec(name="pair", protected=(), **values)).eval()


def run(network: AdoptedNetwork) -> None:
    with torch.no_grad(), unchanging_layers(network):
        network(*VIEWS)
    check_weights(network, *VIEWS)


def test_a_layer_may_be_called_twice() -> None:
    run(adopted())


def test_a_layer_of_two_dilations_is_refused_unless_it_is_left_alone() -> None:
    for network in (adopted(), adopted(uncompressed=("tower",))):
        network.network.dilation = 2
        if network.spec.uncompressed:
            run(network)
            continue
        with pytest.raises(InputError, match=r"^pair: a layer is changed .* network\.tower with .*dilation \(2, 2\)"):
            run(network)
        assert not network.network.tower._forward_pre_hooks


def test_a_weight_beside_its_layer_is_refused_unless_it_is_left_alone() -> None:
    for network in (adopted(), adopted(uncompressed=("tower",))):
        network.network.outside = True
        if network.spec.uncompressed:
            run(network)
            continue
        with pytest.raises(InputError, match=r"^pair: a weight is used .*; found network\.tower\.weight in sum at "):
            run(network)
