"""Mode `rigl`: weights are dropped by score and grown by gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from disparsity.base.layers import trained_weight
from disparsity.finetune.modes.base import EventWindow, keep_gradients
from disparsity.finetune.modes.frozen import Frozen
from disparsity.finetune.modes.settings import RigLSettings
from disparsity.pruning.masks import mask_modules, masks_of
from disparsity.pruning.selection import keep_top


class RigL(Frozen):
    """At every event each layer grows the pruned weights of largest gradient and drops the lowest-scored live ones.

    The dropped fraction of a layer's live weights falls from `drop_fraction` at the first event along a cosine to
    none at the last. New weights start at zero. The gradients are those of the last step before the event: for that
    step alone gradients reach pruned weights, which do not move. How many weights are kept follows the schedule;
    between events the masks stay.

    Source: RigL (Evci et al., ICML 2020), section 3: growth by gradient magnitude, zero start, the cosine
    ``drop_fraction / 2 (1 + cos(pi t / T))``. It is RigL's constant sparsity, and its number of weights per layer, with
    score `magnitude`, scope `per_layer` and `first_sparsity` equal to `sparsity`. Interpretation: that sparsity may
    grow meanwhile, that weights are dropped by any score, and that t counts events.
    """

    def __init__(self, settings: RigLSettings) -> None:
        self._settings = settings
        self._share = 0.0
        self._gradients: dict[str, Tensor] = {}

    def before_step(self, network: nn.Module, window: EventWindow) -> None:
        """Let gradients reach pruned weights in the step that an event follows."""
        for module in mask_modules(network).values():
            module.straight_through = window.until == 1

    def before_event(self, event: int, events: int) -> None:
        """Set the fraction of weights that this event drops and grows."""
        progress = (event - 1) / (events - 1) if events > 1 else 1.0
        self._share = self._settings.drop_fraction / 2 * (1 + math.cos(math.pi * progress))

    def adjust_scores(self, scores: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
        """Grown weights stand above all live ones, other pruned weights stay out."""
        live = super().adjust_scores(scores, network)
        above = 1.0 + max((float(score.max()) for score in live.values()), default=0.0)
        masks = masks_of(network)
        return {name: torch.where(self._grown(name, masks[name]), above, score) for name, score in live.items()}

    def after_backward(self, network: nn.Module) -> None:
        """Note the gradients of pruned weights, which do not move."""
        modules = mask_modules(network)
        reached = {name: module.mask for name, module in modules.items() if module.straight_through}
        self._gradients = {name: self._size(network, name, mask) for name, mask in reached.items()}
        keep_gradients(network, reached)

    def after_event(self, network: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        """Zero what was pruned."""
        super().after_event(network, optimizer)
        self._gradients = {}

    def state(self) -> dict[str, Tensor]:
        """The gradients that the next event grows by."""
        return dict(self._gradients)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from `state`."""
        self._gradients = dict(state)

    @staticmethod
    def _size(network: nn.Module, name: str, mask: Tensor) -> Tensor:
        """Magnitude of the gradient of pruned weights; -1 for live ones and where there is none."""
        weight = trained_weight(network.get_submodule(name))
        size = torch.zeros_like(weight) if weight.grad is None else weight.grad.abs()
        return torch.where(mask, -1.0, size)

    def _grown(self, name: str, mask: Tensor) -> Tensor:
        if name not in self._gradients:
            return torch.zeros_like(mask)
        count = min(round(self._share * int(mask.sum())), int((~mask).sum()))
        return keep_top(self._gradients[name].flatten(), count).view(mask.shape)
