"""A quantized layer watched on inputs whose codes are known."""

from __future__ import annotations

import torch
from torch import nn

from disparsity.hwcost.models.effectual_macs import EffectualMacs
from disparsity.hwcost.tracing.activation_statistics import grid_codes, observe
from disparsity.quant.attach import attach_quantizers, input_quantizer
from disparsity.quant.bits import LayerBits


def quantized(low: int) -> nn.Sequential:
    network = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.ReLU(), nn.Conv2d(1, 1, 1, bias=False))
    nn.init.ones_(network[0].weight)
    attach_quantizers(network, {"0": LayerBits(weights=4, activations=4)})
    quantizer = input_quantizer(network[0])
    quantizer.low = low
    quantizer.set_step(0.5)
    return network


def test_the_largest_code_and_the_products_that_count() -> None:
    network = quantized(-8)
    pairs = [(torch.tensor([0.0, 1.0, -2.5, 0.1]).view(1, 1, 2, 2),), (torch.full((1, 1, 2, 2), 1.5),)]
    seen = observe(network, pairs, data="here")
    assert seen.largest_codes == {"0": 5}  # -2.5 / 0.5; 0.1 is rounded to 0
    assert seen.macs["0", 0] == EffectualMacs(dense=8, by_weight=8, by_activation=6, by_both=6)
    assert (seen.data, seen.pairs, seen.size, seen.cropped) == ("here", 2, (2, 2), False)
    assert not network[0]._forward_hooks


def test_codes_beyond_the_grid_are_clipped_as_in_the_network() -> None:
    seen = observe(quantized(0), [(torch.full((1, 1, 1, 1), 100.0),)], data="")
    assert seen.largest_codes == {"0": 15}


def test_the_grid_itself_bounds_codes_on_both_sides() -> None:
    assert grid_codes(quantized(-8)) == {"0": 8}
    assert grid_codes(quantized(-2)) == {"0": 13}
    assert grid_codes(nn.Sequential(nn.Conv2d(1, 1, 1))) == {}


def test_deterministic_mode_changes_nothing_and_is_back_afterwards() -> None:
    network = quantized(-8).append(nn.Upsample(scale_factor=2, mode="bilinear"))
    pairs = [(torch.linspace(-3, 3, 16).view(1, 1, 4, 4),)]
    usual = observe(network, pairs, data="")
    torch.use_deterministic_algorithms(mode=True)
    try:
        assert observe(network, pairs, data="") == usual
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(mode=False)
