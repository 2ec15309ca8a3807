"""Quantizers on a network's layers: attach, find, detach.

The weight quantizer is a parametrization after the mask's, so that ``layer.weight`` is ``Q(mask * v)``. The quantizer
of the layer's input is a child module of the layer, `input_quantizer`, that a forward pre-hook looks up by name: so it
is in the state dict, moves with ``.to()``, survives ``deepcopy``, and serves all calls of a siamese layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from disparsity.base.errors import InputError
from disparsity.base.layers import channel_axis, check_layer_names, effective_weight, quantizable_layers, trained_weight
from disparsity.quant.bits import FLOAT_BITS, LayerBits
from disparsity.quant.quantizers.base import ActivationQuantizer, WeightQuantizer
from disparsity.quant.quantizers.registry import QUANTIZERS
from disparsity.quant.quantizers.settings import LSQSettings, Quantizer, quantizer_for

INPUT_QUANTIZER = "input_quantizer"


def attach_quantizers(
    network: nn.Module,
    bits: Mapping[str, LayerBits],
    *,
    quantizer: Quantizer | None = None,
    fitted: bool = True,
) -> None:
    """Quantize the named layers; masks must already be in place, activations wait for `calibrate`.

    Args:
        network: changed in place, or not at all when something is refused.
        bits: by layer name; 32 leaves the weights or the activations in float.
        quantizer: its settings, among them who takes the layers whose bits it does not have; None is `lsq`.
        fitted: whether steps are fitted to the non-zero effective weights; else they are 1, for a state that is loaded
            next.

    Raises:
        InputError: an unknown layer, a layer that already has a quantizer, or a weight that is not finite.

    """
    layers = quantizable_layers(network)
    check_layer_names(bits, layers, what="the bit allocation")
    chosen = {name: quantizer_for(each.weights, quantizer or LSQSettings()) for name, each in bits.items()}
    weights: dict[str, WeightQuantizer] = {}
    for name, layer_bits in bits.items():
        layer = layers[name]
        if weight_quantizer(layer) or input_quantizer(layer):
            raise InputError("the layer already has a quantizer", where=name, remedy="call detach() first")
        if layer_bits.weights != FLOAT_BITS:
            weights[name] = _quantizer_of(name, layer, layer_bits.weights, chosen[name], fitted)
    for name, layer_bits in bits.items():
        if name in weights:
            quantizer_of_weight = weights[name].train(layers[name].training)
            parametrize.register_parametrization(layers[name], "weight", quantizer_of_weight)
        if layer_bits.activations != FLOAT_BITS:
            device = effective_weight(layers[name]).device
            build = QUANTIZERS[chosen[name].name].activation
            attach_input_quantizer(layers[name], build(layer_bits.activations, None).to(device))


def attach_input_quantizer(layer: nn.Module, quantizer: ActivationQuantizer) -> None:
    """Quantize the first input of every call of the layer."""
    layer.add_module(INPUT_QUANTIZER, quantizer)
    layer.register_forward_pre_hook(_quantize_input)


def detach(network: nn.Module, *, keep_quantized: bool = False) -> None:
    """Take all quantizers off; masks stay.

    Args:
        network: changed in place.
        keep_quantized: the quantized values become the trained weights; otherwise the float weights are back.

    """
    for layer in quantizable_layers(network).values():
        _detach_weight(layer, keep_quantized)
        if input_quantizer(layer) is not None:
            delattr(layer, INPUT_QUANTIZER)
            hooks = layer._forward_pre_hooks
            for key in [key for key, hook in hooks.items() if hook is _quantize_input]:
                del hooks[key]


def quantized_layers(network: nn.Module) -> dict[str, nn.Module]:
    """Every layer with a quantizer on its weight or its input, by name."""
    layers = quantizable_layers(network)
    return {name: layer for name, layer in layers.items() if weight_quantizer(layer) or input_quantizer(layer)}


def weight_quantizer(layer: nn.Module) -> WeightQuantizer | None:
    """The quantizer of a layer's weight, None when it is in float."""
    if not parametrize.is_parametrized(layer, "weight"):
        return None
    found = [module for module in _parametrizations(layer) if isinstance(module, WeightQuantizer)]
    return found[0] if found else None


@torch.no_grad()
def rounded_weight(layer: nn.Module) -> Tensor:
    """The trained tensor as the layer's quantizer rounds it, pruned or not; the trained tensor itself in float."""
    quantizer = weight_quantizer(layer)
    trained = trained_weight(layer).detach()
    return quantizer(trained) if quantizer else trained


def input_quantizer(layer: nn.Module) -> ActivationQuantizer | None:
    """The quantizer of a layer's input, None when it is in float."""
    return cast("ActivationQuantizer | None", layer._modules.get(INPUT_QUANTIZER))


def layer_bits(network: nn.Module) -> dict[str, LayerBits]:
    """The bit widths of the quantized layers by name; 32 is float."""
    result = {}
    for name, layer in quantized_layers(network).items():
        weights, activations = weight_quantizer(layer), input_quantizer(layer)
        result[name] = LayerBits(
            weights=weights.bits if weights else FLOAT_BITS, activations=activations.bits if activations else FLOAT_BITS
        )
    return result


def step_parameters(network: nn.Module) -> list[nn.Parameter]:
    """All trained steps (logarithms); give them a learning rate of their own and no weight decay."""
    quantizers = (WeightQuantizer, ActivationQuantizer)
    return [p for module in network.modules() if isinstance(module, quantizers) for p in module.parameters()]


def round_steps(network: nn.Module) -> None:
    """At the end of training: replace every trained step by the float16 value that the forward pass uses.

    Outputs do not change. Afterwards every machine computes the same steps from the stored logarithms.
    """
    for module in network.modules():
        if isinstance(module, WeightQuantizer | ActivationQuantizer):
            module.round_steps()


def _quantizer_of(name: str, layer: nn.Module, bits: int, chosen: Quantizer, fitted: bool) -> WeightQuantizer:
    build = QUANTIZERS[chosen.name].weight
    try:
        return build(effective_weight(layer), bits, channel_axis(layer), chosen, fitted)
    except InputError as error:
        raise InputError(str(error), where=name) from error


def _quantize_input(layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    quantizer = input_quantizer(layer)
    assert quantizer is not None
    if quantizer.observer is not None:
        quantizer.observer(inputs[0])
        return inputs
    return (quantizer(inputs[0]), *inputs[1:])


def _parametrizations(layer: nn.Module) -> parametrize.ParametrizationList:
    return cast(parametrize.ParametrizationList, cast(nn.ModuleDict, layer.parametrizations)["weight"])


def _detach_weight(layer: nn.Module, keep_quantized: bool) -> None:
    quantizer = weight_quantizer(layer)
    if quantizer is None:
        return
    chain, values = _parametrizations(layer), effective_weight(layer)
    if keep_quantized:
        chain.original.data.copy_(values)
    if len(chain) == 1:
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    else:
        del chain[list(chain).index(quantizer)]
