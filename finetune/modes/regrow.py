"""Mode `regrow`: pruned weights may return while sparsity grows."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from disparsity.finetune.modes.base import Mode, clear_pruned_moments, keep_gradients
from disparsity.finetune.modes.settings import RegrowSettings
from disparsity.pruning.masks import mask_modules, masks_of
from disparsity.pruning.selection import keep_top


class Regrow(Mode):
    """Pruned weights keep their last value and return when their score is clearly above the threshold.

    While sparsity grows the forward pass uses ``mask * v`` and the backward pass gives pruned weights the gradient of
    their position, so their Taylor score is still measured. Their values do not change: an adaptive optimizer divides
    a tiny gradient by its own size and would change them at random. `regrow_penalty` scales the score of pruned
    weights, so that only clear mistakes are corrected, and at most `drop_fraction` of the live weights return at one
    event: a score is an estimate for one weight alone, and the effects of thousands that return together cancel.

    Interpretation, after Dynamic Network Surgery (Guo et al., NeurIPS 2016) and DPF (Lin et al., ICLR 2020).
    """

    def __init__(self, settings: RegrowSettings) -> None:
        self._settings = settings

    def start(self, network: nn.Module) -> None:
        """Let gradients reach pruned weights."""
        for module in mask_modules(network).values():
            module.straight_through = True

    def adjust_scores(self, scores: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
        """The best pruned weights compete with a penalty, the others stay out."""
        masks = {name: module.mask for name, module in mask_modules(network).items() if name in scores}
        waiting = torch.cat([torch.where(masks[name], -1.0, score).flatten() for name, score in scores.items()])
        live = sum(int(mask.sum()) for mask in masks.values())
        best = keep_top(waiting, round(self._settings.drop_fraction * live))
        penalty = self._settings.regrow_penalty
        chosen = torch.split(best, [score.numel() for score in scores.values()])
        return {
            name: torch.where(masks[name], score, torch.where(may.view(score.shape), score * penalty, -1.0))
            for (name, score), may in zip(scores.items(), chosen, strict=True)
        }

    def after_backward(self, network: nn.Module) -> None:
        """Pruned weights are scored but do not move."""
        keep_gradients(network, masks_of(network))

    def after_event(self, network: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        """Forget the momentum of what was pruned; its value waits."""
        clear_pruned_moments(network, optimizer)
