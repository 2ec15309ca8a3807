"""Folding BatchNorm into the convolution before it, so that the quantizer sees the weight that inference uses.

In pre-activation networks (BatchNorm, ReLU, convolution) this is the last convolution of the unit before. A BatchNorm
behind a pooling, a concatenation or a cost volume stays: the ReLU between it and the next convolution keeps it from
going forward. It is computed in float before that convolution's input is quantized, and costs are counted with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import parametrize

from disparsity.base.errors import InputError
from disparsity.base.layers import (
    BATCH_NORMS,
    CONVOLUTIONS,
    channel_axis,
    effective_weight,
    is_plain,
    quantizable_layers,
)
from disparsity.base.trace.dry_run import trace_network
from disparsity.base.trace.operation import Trace
from disparsity.quant.folding.dataflow import dataflow

_RELATIVE_TOLERANCE = 1e-5


class FoldedNorm(nn.Identity):
    """Stands where a BatchNorm was; `convolution` is the name of the layer that it went into."""

    def __init__(self, convolution: str) -> None:
        super().__init__()
        self.convolution = convolution


@torch.no_grad()
def fold_batchnorm(network: nn.Module, example_inputs: tuple[Tensor, ...]) -> list[tuple[str, str]]:
    """Fold every BatchNorm whose input is exactly the output of one convolution, wherever they are defined.

    The network runs once in eval mode. A pair qualifies when, in every call, the convolution's output tensor is read
    by that BatchNorm and by no other operation, the BatchNorm reads nothing else, and it has running statistics.
    The weight is scaled by ``gamma / sqrt(variance + eps)`` per output channel behind its mask, so that zeros stay;
    the rest goes to the bias, which is created if needed; the BatchNorm becomes a `FoldedNorm`, an identity.

    Args:
        network: without quantizers; changed in place; its train and eval modes are restored.
        example_inputs: positional arguments of one forward pass.

    Returns:
        (convolution, BatchNorm) names in order of execution, for `fold_pairs`.

    Raises:
        InputError: a weight's parametrization is not a mask, so that scaling the trained tensor does not scale it.

    """
    result = foldable_pairs(network, trace_network(network, example_inputs))
    fold_named(network, result)
    return result


@torch.no_grad()
def fold_named(network: nn.Module, pairs: Iterable[tuple[str, str]]) -> None:
    """Fold the pairs that `fold_batchnorm` found in a network of the same structure.

    Raises:
        InputError: as `fold_batchnorm` and `fold_pairs`.

    """
    modules, pairs = dict(network.named_modules()), list(pairs)
    _check_names(modules, pairs)
    for convolution, norm in pairs:
        _fold(convolution, modules[convolution], cast(_BatchNorm, modules[norm]))
    fold_pairs(network, pairs)


def fold_pairs(network: nn.Module, pairs: Iterable[tuple[str, str]]) -> None:
    """Redo only the structure of `fold_batchnorm`: biases exist and BatchNorms are identities.

    Raises:
        InputError: a name is not a convolution or not a BatchNorm of the network.

    """
    modules, pairs = dict(network.named_modules()), list(pairs)
    _check_names(modules, pairs)
    for convolution_name, norm_name in pairs:
        _ensure_bias(modules[convolution_name])
        folded = FoldedNorm(convolution_name)
        for name, module in list(network.named_modules(remove_duplicate=False)):
            if module is modules[norm_name]:
                network.set_submodule(name, folded)


def _check_names(modules: dict[str, nn.Module], pairs: Iterable[tuple[str, str]]) -> None:
    for convolution_name, norm_name in pairs:
        if convolution_name not in modules or not is_plain(modules[convolution_name]):
            raise InputError("the folding names a layer that the network does not have", found=convolution_name)
        if norm_name not in modules or not is_plain(modules[norm_name], BATCH_NORMS):
            raise InputError("the folding names a BatchNorm that the network does not have", found=norm_name)


def folded_pairs(network: nn.Module) -> list[tuple[str, str]]:
    """The (convolution, BatchNorm) names that were folded, in order of definition."""
    return [(module.convolution, name) for name, module in network.named_modules() if isinstance(module, FoldedNorm)]


def foldable_pairs(network: nn.Module, trace: Trace) -> list[tuple[str, str]]:
    """The (convolution, BatchNorm) names that `fold_batchnorm` folds, from a trace in eval mode."""
    modules = dict(network.named_modules())
    norms = {name: cast(_BatchNorm, module) for name, module in modules.items() if is_plain(module, BATCH_NORMS)}
    flow = dataflow(trace, producers=quantizable_layers(network), consumers=norms)
    pairs = []
    for producer, consumers in flow.readers.items():
        norm = consumers[0]
        if norm is None or norms[norm].running_mean is None or set(consumers) != {norm}:
            continue
        if flow.sources[norm] == {producer} and not _is_shared(network, modules[producer]):
            pairs.append((producer, norm))
    return pairs


def _is_shared(network: nn.Module, layer: nn.Module) -> bool:
    """Whether another module holds one of this layer's parameters too."""
    own = {id(parameter) for parameter in layer.parameters()}
    inside = set(layer.modules())
    return any(
        id(parameter) in own
        for module in network.modules()
        if module not in inside
        for parameter in module.parameters(recurse=False)
    )


def _fold(name: str, layer: nn.Module, norm: _BatchNorm) -> None:
    mean, variance = cast(Tensor, norm.running_mean).double(), cast(Tensor, norm.running_var).double()
    gamma = norm.weight.double() if norm.affine else torch.ones_like(mean)
    beta = norm.bias.double() if norm.affine else torch.zeros_like(mean)
    scale = gamma / (variance + norm.eps).sqrt()
    _scale_weight(name, layer, scale)
    _ensure_bias(layer)
    bias = cast(Tensor, layer.bias)
    bias.copy_((bias.double() - mean) * scale + beta)


def _scale_weight(name: str, layer: nn.Module, scale: Tensor) -> None:
    before = effective_weight(layer).clone()
    masked = parametrize.is_parametrized(layer, "weight")
    trained = cast(Tensor, layer.parametrizations["weight"].original if masked else layer.weight)  # type: ignore[index, union-attr]
    restore = trained.clone()
    trained.copy_(_scaled(layer, trained, scale))
    expected = _scaled(layer, before, scale)
    if not torch.allclose(effective_weight(layer), expected, rtol=_RELATIVE_TOLERANCE, atol=0):
        trained.copy_(restore)
        remedy = "fold before quantizers are attached; only masks may be on the weight"
        raise InputError("the weight does not scale with its trained tensor", where=name, remedy=remedy)


def _scaled(layer: nn.Module, weight: Tensor, scale: Tensor) -> Tensor:
    """Each output channel of `weight` times its scale; the groups of a transposed convolution lie along axis 0."""
    if channel_axis(layer) == 0:
        return (weight.double() * scale.view(-1, *[1] * (weight.ndim - 1))).to(weight.dtype)
    groups = cast(int, layer.groups)
    grouped = weight.double().view(groups, -1, *weight.shape[1:])
    factors = scale.view(groups, 1, -1, *[1] * (weight.ndim - 2))
    return (grouped * factors).flatten(0, 1).to(weight.dtype)


def _ensure_bias(layer: nn.Module) -> None:
    if layer.bias is None:
        is_plain = isinstance(layer, (*CONVOLUTIONS, nn.Linear))
        weight = effective_weight(layer)
        channels = weight.shape[0] if is_plain else weight.shape[1] * cast(int, layer.groups)
        layer.bias = nn.Parameter(weight.new_zeros(channels))
