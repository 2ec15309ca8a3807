"""Bits of the layers that a run compresses, from the recipe's settings and the network's spec."""

from __future__ import annotations

from typing import TypeVar

from disparsity.quant.bits import LayerBits
from disparsity.quant.layer_bits import uniform_bits
from disparsity.quant.settings import BitSettings
from disparsity.stereo.network import StereoNetwork

Value = TypeVar("Value")


def bits_of(network: StereoNetwork, settings: BitSettings) -> dict[str, LayerBits]:
    """The bits of every layer: the settings', with the spec's first and protected layers and wide inputs."""
    spec = network.spec
    bits = uniform_bits(network, settings, first=spec.first, protected=spec.protected, wide_inputs=spec.wide_inputs)
    return compressed_layers(network, bits)


def compressed_layers(network: StereoNetwork, by_layer: dict[str, Value]) -> dict[str, Value]:
    """What is given by layer name, without the layers that the network's spec excludes from compression."""
    return {name: value for name, value in by_layer.items() if network.spec.compresses(name)}
