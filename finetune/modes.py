"""Fine-tuning modes: what happens to pruned weights when weights are removed and while training goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from disparsity.errors import InputError
from disparsity.pruning.masks import mask_modules, trained_weight, zero_pruned
from disparsity.pruning.selection import keep_top


class Mode:
    """The interface, and the behaviour that all modes share."""

    def start(self, network: nn.Module) -> None:
        """Called before the first step."""

    def weigh(self, scores: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
        """The scores as the mode wants weights to compete; pruned weights stay out here."""
        masks = mask_modules(network)
        return {name: torch.where(masks[name].mask, score, -1.0) for name, score in scores.items()}

    def after_backward(self, network: nn.Module) -> None:
        """Called when scores have taken in the gradients of a step."""

    def after_event(self, network: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        """Called when the masks have changed."""
        raise NotImplementedError

    def finish(self, network: nn.Module) -> None:
        """Called after the last event: from here on pruned weights stay zero."""
        for module in mask_modules(network).values():
            module.straight_through = False
        zero_pruned(network)


class Frozen(Mode):
    """Pruned weights are zero for good; their gradient and optimizer state are zero too."""

    def after_event(self, network: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        """Zero what was pruned."""
        zero_pruned(network)
        clear_pruned_moments(network, optimizer)


class Regrow(Mode):
    """Pruned weights wait with their last value and return when their score is clearly above the threshold.

    While sparsity grows the forward pass uses ``mask * v`` and the backward pass gives pruned weights the gradient
    of their place, so their Taylor score goes on. They do not move: an adaptive optimizer divides a tiny gradient by
    its own size and would walk them at random. `handicap` scales the score of pruned weights, so that only clear
    mistakes are taken back, and at most `exchange` (a share of the live weights) return at one event: a score says
    what one weight is worth, and thousands that return together undo each other.

    Interpretation, after Dynamic Network Surgery (Guo et al., NeurIPS 2016) and DPF (Lin et al., ICLR 2020).
    """

    def __init__(self, handicap: float = 0.25, exchange: float = 0.02) -> None:
        for name, value in (("handicap", handicap), ("exchange", exchange)):
            if not 0.0 <= value <= 1.0:
                raise InputError(f"regrow {name} out of range", found=value, expected="0..1")
        self._handicap = handicap
        self._exchange = exchange

    def start(self, network: nn.Module) -> None:
        """Let gradients reach pruned weights."""
        for module in mask_modules(network).values():
            module.straight_through = True

    def weigh(self, scores: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
        """The best pruned weights compete with a handicap, the others stay out."""
        masks = {name: module.mask for name, module in mask_modules(network).items() if name in scores}
        waiting = torch.cat([torch.where(masks[name], -1.0, score).flatten() for name, score in scores.items()])
        live = sum(int(mask.sum()) for mask in masks.values())
        best = keep_top(waiting, round(self._exchange * live))
        chosen = torch.split(best, [score.numel() for score in scores.values()])
        return {
            name: torch.where(masks[name], score, torch.where(may.view(score.shape), score * self._handicap, -1.0))
            for (name, score), may in zip(scores.items(), chosen, strict=True)
        }

    def after_backward(self, network: nn.Module) -> None:
        """Pruned weights are scored but do not move."""
        for name, module in mask_modules(network).items():
            gradient = trained_weight(network.get_submodule(name)).grad
            if gradient is not None:
                gradient.mul_(module.mask)

    def after_event(self, network: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        """Forget the momentum of what was pruned; its value waits."""
        clear_pruned_moments(network, optimizer)


class Solver(Protocol):
    """What solves the layers of a network, and forgets what it knows when the weights move."""

    def solve(self) -> None: ...  # noqa: D102

    def forget(self) -> None: ...  # noqa: D102


class Reconstruct(Frozen):
    """Frozen, and after every event the survivors of each layer are solved by least squares."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver

    def after_backward(self, network: nn.Module) -> None:
        """A training step is about to move the weights."""
        del network
        self._solver.forget()

    def after_event(self, network: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        """Zero what was pruned, then reproduce the dense layers' outputs."""
        super().after_event(network, optimizer)
        self._solver.solve()


MODES: dict[str, str] = {
    "frozen": "pruned weights stay zero",
    "regrow": "pruned weights may return while sparsity grows",
    "reconstruct": "after every event each layer's survivors are solved by least squares",
}


def clear_pruned_moments(network: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
    """Set Adam's moments of pruned weights to zero."""
    if optimizer is None:
        return
    for name, module in mask_modules(network).items():
        state = optimizer.state.get(trained_weight(network.get_submodule(name)), {})
        for key in ("exp_avg", "exp_avg_sq"):
            if key in state:
                state[key].mul_(module.mask)
