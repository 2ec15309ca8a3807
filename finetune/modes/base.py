"""Interface of the fine-tuning modes: the callbacks of the training loop, and how pruned weights become zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from disparsity.base.layers import trained_weight
from disparsity.pruning.masks import mask_modules, zero_pruned


@dataclass(frozen=True, kw_only=True)
class EventWindow:
    """Where a training step lies between two events.

    Attributes:
        since: steps taken since the last event; None before the first.
        until: steps before the next event is held, this one included; None after the last.

    """

    since: int | None
    until: int | None


class Mode:
    """The interface, and the behaviour that all modes share."""

    lasting = False
    """Whether the mode still acts between the last event and the end of the phase."""

    def start(self, network: nn.Module) -> None:
        """Called before the first step, and before the first one after a resumption."""

    def before_step(self, network: nn.Module, window: EventWindow) -> None:
        """Called before every step, after the events that are due."""

    def before_event(self, event: int, events: int) -> None:
        """Called before event number `event` (1-based) of `events`."""

    def adjust_scores(self, scores: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
        """The scores by which weights are compared at an event; by default pruned weights get -1 and stay pruned."""
        masks = mask_modules(network)
        return {name: torch.where(masks[name].mask, score, -1.0) for name, score in scores.items()}

    def after_backward(self, network: nn.Module) -> None:
        """Called when scores have taken in the gradients of a step."""

    def after_step(self, network: nn.Module) -> None:
        """Called when the weights have moved."""

    def after_event(self, network: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        """Called when the masks have changed."""
        raise NotImplementedError

    def finish(self, network: nn.Module) -> None:
        """Called after the last event: from here on pruned weights stay zero."""
        for module in mask_modules(network).values():
            module.straight_through = False
        zero_pruned(network)

    def end(self, network: nn.Module) -> None:
        """Called after the last step of the phase."""

    def state(self) -> dict[str, Tensor]:
        """The state that a checkpoint must hold for an exact resumption, besides the network."""
        return {}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned."""


def clear_pruned_moments(network: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
    """Set the momentum and Adam's moments of pruned weights to zero."""
    if optimizer is None:
        return
    for name, module in mask_modules(network).items():
        state = optimizer.state.get(trained_weight(network.get_submodule(name)), {})
        for key in ("exp_avg", "exp_avg_sq", "momentum_buffer"):
            if state.get(key) is not None:
                state[key].mul_(module.mask)


def keep_gradients(network: nn.Module, chosen: Mapping[str, Tensor]) -> None:
    """Zero the gradient of every weight of the named layers that `chosen` (bool) does not hold."""
    for name, mask in chosen.items():
        gradient = trained_weight(network.get_submodule(name)).grad
        if gradient is not None:
            gradient.mul_(mask)
