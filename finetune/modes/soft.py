"""Mode `soft`: pruned weights decay."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from disparsity.base.layers import trained_weight
from disparsity.finetune.modes.base import Mode, clear_pruned_moments, keep_gradients
from disparsity.finetune.modes.settings import SoftSettings
from disparsity.pruning.masks import masks_of, set_masks, zero_pruned

_GONE = 0.01
"""A weight of which less than this fraction is left is cut: its mask is set and the sparse kernels skip it."""


class Soft(Mode):
    """Pruned weights shrink by a factor per step instead of being cut at once; they neither learn nor return.

    Their gradient is zero from the event on, and so is their optimizer state. A weight is cut when less than 1 % of it
    is left, whatever is left at the end of the phase is cut there. Until then the mask counts it as live: the
    network's sparsity reaches the events' target with that delay.

    Interpretation: neither a published schedule nor soft filter pruning (He et al., IJCAI 2018), in which pruned
    filters are still trained.
    """

    lasting = True

    def __init__(self, settings: SoftSettings) -> None:
        self._decay = settings.decay
        self._left: dict[str, Tensor] = {}

    def start(self, network: nn.Module) -> None:
        """All of every weight is left, unless a checkpoint said otherwise."""
        if not self._left:
            self._left = {name: mask.float() for name, mask in masks_of(network).items()}

    def adjust_scores(self, scores: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
        """Decaying weights are out as pruned ones are."""
        self.start(network)  # events may come before the first step
        return {name: torch.where(self._left[name] == 1.0, score, -1.0) for name, score in scores.items()}

    def after_backward(self, network: nn.Module) -> None:
        """Decaying weights do not learn."""
        keep_gradients(network, {name: left == 1.0 for name, left in self._left.items()})

    @torch.no_grad()
    def after_step(self, network: nn.Module) -> None:
        """Shrink what decays, cut what has decayed."""
        decaying = {name: (left > 0.0) & (left < 1.0) for name, left in self._left.items()}
        if not any(bool(mask.any()) for mask in decaying.values()):
            return
        for name, mask in decaying.items():
            left, weight = self._left[name], trained_weight(network.get_submodule(name))
            weight.copy_(torch.where(mask, weight * self._decay, weight))
            left.copy_(torch.where(mask, left * self._decay, left))
            left[left < _GONE] = 0.0
        self._cut(network)

    def after_event(self, network: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        """Start the decay of the weights that the event has pruned, and clear their momentum."""
        clear_pruned_moments(network, optimizer)
        below_one = torch.nextafter(torch.tensor(1.0), torch.tensor(0.0))
        for name, mask in masks_of(network).items():
            left = self._left[name]
            left[~mask & (left == 1.0)] = below_one
        self._cut(network)

    def finish(self, network: nn.Module) -> None:
        """The last event is over; the weights that it has pruned decay until the phase ends."""

    def end(self, network: nn.Module) -> None:
        """Cut what has not decayed yet."""
        for left in self._left.values():
            left[left < 1.0] = 0.0
        self._cut(network)

    def state(self) -> dict[str, Tensor]:
        """How much is left of every weight."""
        return dict(self._left)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from `state`."""
        self._left = {name: left.clone() for name, left in state.items()}

    def _cut(self, network: nn.Module) -> None:
        set_masks(network, {name: left > 0.0 for name, left in self._left.items()})
        zero_pruned(network)
