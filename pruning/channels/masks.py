"""Channel masks: masks of single weights for units that are removed, before the layers get smaller."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from disparsity.base.layers import TRANSPOSED, trained_weight
from disparsity.pruning.channels.coupling import Coupling
from disparsity.pruning.channels.layout import Layout, kept_places, layouts
from disparsity.pruning.masks import attach_masks, mask_modules, set_masks, zero_pruned


def maskable_layers(coupling: Coupling) -> list[str]:
    """The layers that lose something when units are removed: those that must have masks."""
    ends = [(name, (*coupling.outputs[name], *coupling.inputs[name])) for name in coupling.outputs]
    return [name for name, units in (*ends, *coupling.channelwise.items()) if any(unit >= 0 for unit in units)]


def channel_masks(found: Mapping[str, Layout], shapes: Mapping[str, torch.Size], removed: Tensor) -> dict[str, Tensor]:
    """The mask of every layer: false where a weight makes or reads a removed channel.

    Args:
        found: layouts by layer.
        shapes: of the weights, by the same names or fewer.
        removed: ``[units]`` bool.

    """
    return {name: _mask(found[name], removed, shape) for name, shape in shapes.items()}


def apply_channel_masks(network: nn.Module, coupling: Coupling, removed: Tensor) -> None:
    """Mask removed units and make them exactly zero: weights, scales of normalisations, and their biases.

    Args:
        network: changed in place; layers without a mask get one.
        coupling: of this network.
        removed: ``[units]`` bool.

    """
    names = maskable_layers(coupling)
    attach_masks(network, [name for name in names if name not in mask_modules(network)])
    shapes = {name: trained_weight(network.get_submodule(name)).shape for name in names}
    set_masks(network, channel_masks(layouts(network, coupling), shapes, removed))
    zero_pruned(network)
    silence_removed(network)


@torch.no_grad()
def silence_removed(network: nn.Module) -> None:
    """Set the bias of every channel whose weights are all masked to exactly zero.

    Without that the shift of a BatchNorm would remain as a constant channel, which nothing replaces when the channel is
    taken out.
    """
    for name, module in mask_modules(network).items():
        layer = network.get_submodule(name)
        bias = getattr(layer, "bias", None)
        if isinstance(bias, Tensor):
            bias.mul_(live_outputs(layer, module.mask))


def live_outputs(layer: nn.Module, mask: Tensor) -> Tensor:
    """Output channels with at least one weight that is kept, ``[C]`` bool."""
    if isinstance(layer, TRANSPOSED):
        grouped = mask.flatten(2).any(2).view(layer.groups, -1, mask.shape[1])
        return grouped.any(1).flatten()
    return mask.flatten(1).any(1) if mask.dim() > 1 else mask


def removed_units(found: Mapping[str, Layout], masks: Mapping[str, Tensor], units: int) -> Tensor:
    """Units of which no weight is kept, ``[units]`` bool: what `channel_masks` was given."""
    alive = torch.zeros(units + 1, dtype=torch.bool)
    for name, mask in masks.items():
        layout, kept = found[name], mask.cpu()
        alive[layout.rows[kept.flatten(1).any(1) if kept.dim() > 1 else kept]] = True
        if layout.columns is not None:
            alive[layout.columns[kept.transpose(0, 1).flatten(1).any(1)]] = True
    return ~alive[:units]


def _mask(layout: Layout, removed: Tensor, shape: torch.Size) -> Tensor:
    rows = kept_places(layout.rows, removed).view(-1, *[1] * (len(shape) - 1))
    if layout.columns is None:
        return rows.expand(shape).clone()
    return (rows & kept_places(layout.columns, removed).view(1, -1, *[1] * (len(shape) - 2))).expand(shape).clone()
