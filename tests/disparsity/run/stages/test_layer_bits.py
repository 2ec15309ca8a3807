"""Bits of the layers of a run: those of the settings and the spec, and none where nothing is compressed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from disparsity.base.layers import quantizable_layers
from disparsity.checkpoint.restore import open_network
from disparsity.quant.attach import layer_bits, quantized_layers
from disparsity.quant.settings import BitSettings
from disparsity.recipe.recipe import load_recipe
from disparsity.run.stages.layer_bits import bits_of
from disparsity.stereo.networks import build_network


def test_bits_are_those_of_settings_and_spec(
    quantized: Path, write_recipe: Callable[..., Path], tmp_path: Path
) -> None:
    network, recipe = open_network(str(quantized), None), load_recipe(write_recipe(tmp_path))
    assert recipe.quantize is not None
    assert {name: layer_bits(network)[name] for name in quantized_layers(network)} == bits_of(network, recipe.quantize)
    for name in network.spec.first:
        assert layer_bits(network)[name].weights == recipe.quantize.first_bits


def test_what_the_spec_excludes_is_not_quantized() -> None:
    network = build_network("anynet_spn")
    left_alone = {name for name in quantizable_layers(network) if name.startswith("refine_spn.")}
    assert set(bits_of(network, BitSettings())) == set(quantizable_layers(network)) - left_alone
