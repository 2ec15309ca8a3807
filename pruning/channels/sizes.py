"""Sizes of layers as plain data, so that a smaller network can be described and built again."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.base.layers import QUANTIZABLE, TRANSPOSED
from disparsity.pruning.channels.layout import groups_of

Sizes = dict[str, int]

_SHRUNK = "has_fewer_channels"
_AVERAGED = "averaged_channels"
_NAMES = (
    *("in_channels", "out_channels", "groups", "in_features", "out_features"),
    *("num_features", "num_parameters", _AVERAGED),
)


def sizes_of(layer: nn.Module) -> Sizes:
    """The numbers of channels that a layer is built with; of an averaging module, what it divides by."""
    sizes = {name: value for name in _NAMES if isinstance(value := getattr(layer, name, None), int)}
    return {_AVERAGED: sizes[_AVERAGED]} if _AVERAGED in sizes else sizes


def shrunk_layers(network: nn.Module) -> dict[str, Sizes]:
    """The sizes of every layer that has lost channels, by name, in order of definition."""
    return {name: sizes_of(layer) for name, layer in network.named_modules() if getattr(layer, _SHRUNK, False)}


def resize_layers(network: nn.Module, sizes: Mapping[str, Mapping[str, int]]) -> None:
    """Give layers of a freshly built network the sizes that `shrunk_layers` described; their values are zero.

    Raises:
        InputError: a name or a size does not fit the network.

    """
    layers = dict(network.named_modules())
    for name, wanted in sizes.items():
        layer = layers.get(name)
        if layer is None or not isinstance(wanted, Mapping) or not _fits(layer, wanted):
            found = None if layer is None else sizes_of(layer)
            raise InputError("channels that the network does not have", where=name, found=wanted, expected=found)
        resize_layer(layer, wanted)


def shrunk_sizes(layer: nn.Module, outputs: Tensor, rows: Tensor, columns: Tensor | None) -> Sizes:
    """A layer's sizes when only these output channels and places on the weight's axes (bool each) are kept."""
    kept, old = int(outputs.sum()), sizes_of(layer)
    if isinstance(layer, nn.Linear):
        assert columns is not None
        return old | {"in_features": int(columns.sum()), "out_features": kept}
    if not isinstance(layer, QUANTIZABLE):
        return old | {name: kept for name in ("num_features", "num_parameters") if name in old}
    assert columns is not None
    is_depthwise = groups_of(layer) == old["in_channels"] > 1
    first, second = int(rows.sum()), int(columns.sum())
    if is_depthwise:
        inputs = first if isinstance(layer, TRANSPOSED) else first * old["in_channels"] // old["out_channels"]
        return old | {"in_channels": inputs, "out_channels": kept, "groups": inputs}
    inputs = first if isinstance(layer, TRANSPOSED) else second * old["groups"]
    return old | {"in_channels": inputs, "out_channels": kept}


def resize_layer(layer: nn.Module, sizes: Mapping[str, int]) -> None:
    """Set a layer's sizes and give it tensors of zeros that fit; parameters stay trainable or not as they were."""
    for name, value in sizes.items():
        setattr(layer, name, value)
    setattr(layer, _SHRUNK, True)
    for name, parameter in list(layer.named_parameters(recurse=False)):
        zeros = parameter.new_zeros(_shape(layer, name, parameter))
        setattr(layer, name, nn.Parameter(zeros, requires_grad=parameter.requires_grad))
    for name, buffer in list(layer.named_buffers(recurse=False)):
        if buffer.dim() == 1:
            setattr(layer, name, buffer.new_zeros(_shape(layer, name, buffer)))


def _shape(layer: nn.Module, name: str, tensor: Tensor) -> torch.Size:
    sizes = sizes_of(layer)
    if name != "weight" or not isinstance(layer, QUANTIZABLE):
        keys = ("out_channels", "out_features", "num_features", "num_parameters")
        return torch.Size([next(sizes[key] for key in keys if key in sizes)])
    if isinstance(layer, nn.Linear):
        return torch.Size([sizes["out_features"], sizes["in_features"]])
    groups = groups_of(layer)
    ends = [sizes["out_channels"], sizes["in_channels"] // groups]
    if isinstance(layer, TRANSPOSED):
        ends = [sizes["in_channels"], sizes["out_channels"] // groups]
    return torch.Size([*ends, *tensor.shape[2:]])


def _fits(layer: nn.Module, wanted: Mapping[str, int]) -> bool:
    """Whether these are the layer's own sizes, none larger; an averaging module may be given its first one."""
    if not all(type(value) is int and value > 0 for value in wanted.values()):
        return False
    if set(wanted) == {_AVERAGED}:
        return hasattr(layer, _AVERAGED)
    old = sizes_of(layer)
    groups = wanted.get("groups", 1)
    divisible = all(wanted[name] % groups == 0 for name in ("in_channels", "out_channels") if name in wanted)
    return set(wanted) == set(old) and divisible and all(wanted[name] <= old[name] for name in old)
