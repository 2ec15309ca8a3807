"""Layers: which ones the stages treat, and where their weights and channels are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

from disparsity.base.errors import InputError

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
QUANTIZABLE = (*CONVOLUTIONS, *TRANSPOSED, nn.Linear)
"""Classes of the layers that are pruned and quantized; a layer of a subclass only where `is_plain` says so."""
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)

_METHODS = ("__call__", "forward", "_conv_forward", "_output_padding")
"""What a layer's result depends on, beside its tensors and its attributes."""


def is_plain(module: nn.Module, kinds: tuple[type[nn.Module], ...] = QUANTIZABLE) -> bool:
    """Whether a module computes exactly what torch's layer of one of these classes does.

    A subclass or an object with a forward pass of its own does not, and neither does a layer whose weight is computed
    by something else than torch's parametrizations (a property, a hook of the old weight_norm).
    """
    kind = next((kind for kind in kinds if isinstance(module, kind)), None)
    if kind is None or "forward" in vars(module):
        return False
    same = all(getattr(type(module), name, None) is getattr(kind, name, None) for name in _METHODS)
    return same and (kind not in QUANTIZABLE or has_own_weight(module))


def has_own_weight(layer: nn.Module) -> bool:
    """Whether the weight is a parameter of the layer, or a torch parametrization of one."""
    return "weight" in layer._parameters or parametrize.is_parametrized(layer, "weight")


def layer_kind(layer: nn.Module) -> type[nn.Module]:
    """The class of torch that a convolution, transposed convolution or linear layer is one of."""
    return next(kind for kind in QUANTIZABLE if isinstance(layer, kind))


def quantizable_layers(network: nn.Module) -> dict[str, nn.Module]:
    """Every convolution, transposed convolution and linear layer that `is_plain`, by name, in order of definition."""
    return {name: module for name, module in network.named_modules() if is_plain(module)}


def channel_axis(layer: nn.Module) -> int:
    """The axis of ``layer.weight`` that counts output channels: 1 for transposed convolutions, else 0.

    A transposed convolution with g groups has ``out/g`` channels on this axis, so that its groups share steps.
    """
    return 1 if isinstance(layer, TRANSPOSED) else 0


def effective_weight(layer: nn.Module) -> Tensor:
    """The weight that the layer computes with, after its mask and its quantizer; without gradient."""
    return cast(Tensor, layer.weight).detach()


def trained_weight(layer: nn.Module) -> Tensor:
    """The trained tensor behind a layer's weight, in front of its mask and its quantizer."""
    if parametrize.is_parametrized(layer, "weight"):
        return cast(Tensor, cast(nn.ModuleDict, layer.parametrizations)["weight"].original)
    return cast(Tensor, layer.weight)


def padded_input(layer: nn.Module, values: Tensor) -> Tensor:
    """``[B, C, ...]`` with a convolution's padding around it: zeros, or what its padding mode takes from the input."""
    sides = cast(list[int], layer._reversed_padding_repeated_twice)
    mode = cast(str, layer.padding_mode)
    return F.pad(values, sides, mode="constant" if mode == "zeros" else mode)


def check_layer_names(names: Iterable[str], layers: Mapping[str, object], *, what: str) -> None:
    """Refuse names that are no layers of the network, naming the nearest valid one.

    Raises:
        InputError: a name is not a key of `layers`.

    """
    for name in names:
        if name not in layers:
            near = difflib.get_close_matches(name, layers, n=1)
            remedy = f"did you mean '{near[0]}'?" if near else None
            raise InputError(f"{what} names a layer that cannot be quantized", found=name, remedy=remedy)
