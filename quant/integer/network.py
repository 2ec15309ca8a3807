"""Integer form of a quantized network."""

from __future__ import annotations

import copy
from typing import TypeVar

from torch import nn

from disparsity.base.errors import InputError
from disparsity.base.layers import quantizable_layers
from disparsity.quant.attach import input_quantizer, weight_quantizer
from disparsity.quant.integer.convolution import IntegerConvolution
from disparsity.quant.integer.reproducible import make_reproducible
from disparsity.quant.integer.settings import IntegerSettings

Network = TypeVar("Network", bound=nn.Module)


def integer_form(network: Network, settings: IntegerSettings | None = None) -> Network:
    """A copy on the CPU, in eval mode, whose quantized layers compute with integers.

    A layer is replaced when its weight and its input are both integers times steps; one replacement serves all calls of
    a siamese layer. `float_layers` names the others. What the network computes in float, between and behind its integer
    layers, it computes for one sample after the other on one thread, so that outputs do not depend on either number.

    Args:
        network: calibrated; not changed.
        settings: widths; the defaults when None.

    Raises:
        InputError: no layer is quantized, or an activation quantizer was not calibrated.

    """
    settings = settings or IntegerSettings()
    result = copy.deepcopy(network).cpu().eval()
    replacements: dict[nn.Module, IntegerConvolution] = {}
    for name, layer in quantizable_layers(result).items():
        weights = weight_quantizer(layer)
        if weights and weights.integer and input_quantizer(layer):
            replacements[layer] = IntegerConvolution(name, layer, settings)
    if not replacements:
        expected = "layers with integer weights and integer inputs"
        raise InputError("the network is not quantized", expected=expected, remedy="quantize it first")
    for name, module in list(result.named_modules(remove_duplicate=False)):
        if module in replacements:
            result.set_submodule(name, replacements[module])
    make_reproducible(result)
    return result


def integer_layers(network: nn.Module) -> dict[str, IntegerConvolution]:
    """The layers of an integer form that compute with integers, by name."""
    return {name: module for name, module in network.named_modules() if isinstance(module, IntegerConvolution)}


def float_layers(network: nn.Module) -> list[str]:
    """The layers of an integer form that are left in float, by name."""
    inside = {id(module.products) for module in integer_layers(network).values()}
    return [name for name, layer in quantizable_layers(network).items() if id(layer) not in inside]
