"""Uniform bit widths by kind of layer and by name, used when no allocation chooses."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase

from torch import nn

from disparsity.base.errors import InputError
from disparsity.base.layers import check_layer_names, quantizable_layers
from disparsity.quant.bits import LayerBits
from disparsity.quant.settings import BitSettings


def uniform_bits(
    network: nn.Module,
    settings: BitSettings,
    *,
    first: Collection[str] = (),
    protected: Collection[str] = (),
    wide_inputs: Collection[str] = (),
) -> dict[str, LayerBits]:
    """The same bits for every quantizable layer but the named ones; `protected` wins over `first`.

    Raises:
        InputError: a name is not a quantizable layer of the network, or a pattern of `layer_bits` matches none.

    """
    layers = quantizable_layers(network)
    for what, names in (("first", first), ("protected", protected), ("wide_inputs", wide_inputs)):
        check_layer_names(names, layers, what=what)
    special = dict.fromkeys(first, settings.first_bits) | dict.fromkeys(protected, settings.last_bits)
    bits = {
        name: LayerBits(
            weights=special.get(name, settings.weight_bits),
            activations=settings.wide_bits if name in wide_inputs else special.get(name, settings.activation_bits),
        )
        for name in layers
    }
    for pattern, weights, activations in settings.patterns():
        for name in _matching(pattern, list(layers)):
            bits[name] = LayerBits(weights=weights, activations=activations or bits[name].activations)
    return bits


def _matching(pattern: str, layers: list[str]) -> list[str]:
    matches = [name for name in layers if fnmatchcase(name, pattern)]
    if not matches:
        raise InputError("no layer of this name", where="layer_bits", found=pattern, expected=", ".join(layers))
    return matches
