"""Channel pattern in a pruning phase: the masked layers, the scored layers, and the masks after an event."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn

from disparsity.base.layers import trained_weight
from disparsity.pruning.channels.coupling import Coupling
from disparsity.pruning.channels.layout import layouts
from disparsity.pruning.channels.masks import channel_masks, maskable_layers, removed_units
from disparsity.pruning.channels.removal import remove_channels
from disparsity.pruning.channels.scores import unit_scores
from disparsity.pruning.channels.selection import select_units
from disparsity.pruning.masks import masks_of


class ChannelPattern:
    """Chooses channels at events, and takes them out in the end.

    Args:
        network: without masks yet.
        coupling: of this network.
        prunable: layers whose weights are counted as density.
        floor_fraction: of its output channels, what every layer keeps; one at least.

    """

    def __init__(
        self, network: nn.Module, coupling: Coupling, prunable: Collection[str], floor_fraction: float
    ) -> None:
        self.masked = list(dict.fromkeys((*prunable, *maskable_layers(coupling))))
        self.norms = {name: network.get_submodule(name) for name in self.masked if name in coupling.channelwise}
        self._coupling = coupling
        self._layouts = layouts(network, coupling)
        shapes = {name: trained_weight(network.get_submodule(name)).shape for name in self.masked}
        self._shapes: dict[str, torch.Size] = shapes
        self._counted = {name: shapes[name] for name in prunable}
        self._floor_fraction = floor_fraction

    def select(self, scores: Mapping[str, Tensor], density: float) -> dict[str, Tensor]:
        """Masks that leave this fraction of the prunable weights, by scores of single weights."""
        units = unit_scores(self._layouts, scores, self._coupling.units)
        removed = select_units(
            self._layouts, self._counted, units, density, self._floor_fraction, self._coupling.balanced
        )
        return channel_masks(self._layouts, self._shapes, removed)

    def remove(self, network: nn.Module) -> None:
        """Take the masked channels out of the network."""
        removed = removed_units(self._layouts, masks_of(network), self._coupling.units)
        remove_channels(network, self._coupling, removed)
