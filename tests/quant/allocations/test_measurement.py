"""Measured distortions against a copy of the network that is quantized for real, and nothing left behind."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import pytest
import torch
from torch import nn

from disparsity.base.layers import effective_weight, quantizable_layers
from disparsity.quant.allocations.measurement import Measurement
from disparsity.quant.allocations.problem import Plan
from disparsity.quant.attach import attach_quantizers, detach, quantized_layers
from disparsity.quant.bits import LayerBits

WIDTHS = {"features.0": (8,), "filter.0": (2, 4), "up": (2, 3, 4), "score": (5,)}


def attach(network: nn.Module, bits: Mapping[str, LayerBits]) -> None:
    attach_quantizers(network, bits)


@pytest.fixture
def measurement(toy, pair, masked) -> Measurement:
    masked(toy, kept=0.7)
    layers = quantizable_layers(toy)
    channels = {
        name: torch.arange(effective_weight(layer).shape[1 if name == "up" else 0]) for name, layer in layers.items()
    }
    channels["filter.0"] = torch.tensor([3, 1, 0, 2, 5, 4])
    return Measurement(toy, layers, WIDTHS, attach, lambda: toy(*pair), channels)


def by_hand(toy, pair, bits: Mapping[str, int], silent: Mapping[str, list[int]]) -> float:
    other = copy.deepcopy(toy)
    with torch.no_grad():
        reference = other(*pair)
        attach_quantizers(other, {name: LayerBits(weights=width, activations=32) for name, width in bits.items()})
        detach(other, keep_quantized=True)
        for name, channels in silent.items():
            trained = other.get_submodule(name).parametrizations.weight.original
            trained[channels] = 0
        return float((other(*pair) - reference).double().square().mean())


def test_one_layer_at_a_time(toy, pair, measurement: Measurement) -> None:
    table = measurement.table()
    assert table[0] == table[3] == [0.0]
    assert table[1] == [pytest.approx(by_hand(toy, pair, {"filter.0": width}, {}), rel=1e-5) for width in (2, 4)]
    assert table[2] == [pytest.approx(by_hand(toy, pair, {"up": width}, {}), rel=1e-5) for width in (2, 3, 4)]
    assert table[1][0] > table[1][1] > 0


def test_a_plan_with_removed_channels(toy, pair, measurement: Measurement) -> None:
    bits = {"features.0": 8, "filter.0": 4, "up": 3, "score": 5}
    expected = by_hand(toy, pair, bits, {"filter.0": [3, 1]})
    assert measurement.measure(Plan((0, 1, 1, 0), (0, 2, 0, 0))) == pytest.approx(expected, rel=1e-5)
    assert expected != pytest.approx(by_hand(toy, pair, bits, {}), rel=1e-3)


def test_the_network_stays_as_it_is(toy, pair, measurement: Measurement) -> None:
    before = {name: value.clone() for name, value in toy.state_dict().items()}
    with torch.no_grad():
        expected = toy(*pair)
    measurement.table()
    measurement.measure(Plan((0, 0, 0, 0), (1, 1, 1, 0)))
    assert list(toy.state_dict()) == list(before)
    assert all(torch.equal(value, before[name]) for name, value in toy.state_dict().items())
    assert not quantized_layers(toy)
    with torch.no_grad():
        assert torch.equal(toy(*pair), expected)
