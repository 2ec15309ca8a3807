"""Masks: the effective weight of a pruned layer is ``mask * v`` with `v` the trained tensor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from disparsity.base.layers import trained_weight


class WeightMask(nn.Module):
    """A parametrization that multiplies a weight by its mask.

    The gradient of a pruned weight is zero, so its optimizer state stays zero as well. With `straight_through` the
    gradient of the effective weight reaches pruned weights too, which is what scores of pruned weights need.
    """

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask)
        self.straight_through = False

    def forward(self, weight: Tensor) -> Tensor:
        """``mask * weight``, the same shape."""
        masked = weight * self.mask
        return weight + (masked - weight).detach() if self.straight_through else masked


def attach_masks(network: nn.Module, names: Iterable[str]) -> None:
    """Give every named layer a mask of ones, in front of whatever its weight goes through already (a quantizer)."""
    for name in names:
        layer = network.get_submodule(name)
        module = WeightMask(torch.ones_like(trained_weight(layer), dtype=torch.bool))
        if parametrize.is_parametrized(layer, "weight"):
            # the effective weight is mask * Q(mask * v), and a checkpoint's keys say which module comes first
            cast(nn.ModuleList, cast(nn.ModuleDict, layer.parametrizations)["weight"]).insert(0, module)
        else:
            parametrize.register_parametrization(layer, "weight", module)


def mask_modules(network: nn.Module) -> dict[str, WeightMask]:
    """The masks of a network by layer name."""
    suffix = ".parametrizations.weight"
    return {
        name.rsplit(suffix, 1)[0]: module for name, module in network.named_modules() if isinstance(module, WeightMask)
    }


def masks_of(network: nn.Module) -> dict[str, Tensor]:
    """The mask tensors (bool) by layer name."""
    return {name: module.mask for name, module in mask_modules(network).items()}


def set_masks(network: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Replace the masks of the named layers."""
    modules = mask_modules(network)
    for name, mask in masks.items():
        modules[name].mask.copy_(mask)


def zero_pruned(network: nn.Module) -> None:
    """Set every pruned weight's trained tensor to exactly zero."""
    with torch.no_grad():
        for name, module in mask_modules(network).items():
            trained_weight(network.get_submodule(name)).masked_fill_(~module.mask, 0.0)


def density(masks: Mapping[str, Tensor]) -> float:
    """The fraction of weights that the masks keep, 0..1."""
    total = sum(mask.numel() for mask in masks.values())
    return sum(int(mask.sum()) for mask in masks.values()) / total if total else 1.0
