"""Stage one inside a training run: scores from the steps, masks at events, and a mode for what is pruned."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from disparsity.errors import InputError
from disparsity.finetune.modes import Mode
from disparsity.finetune.training import StepHook, Trainer
from disparsity.progress import progress
from disparsity.pruning.masks import density, masks_of, set_masks
from disparsity.pruning.schedules import density_after, event_steps
from disparsity.pruning.scores import TaylorScore, per_mac
from disparsity.pruning.selection import FloorSettings, scope_named
from disparsity.pruning.settings import PruneSettings

ScorePass = Callable[[int], dict[str, Tensor]]
Select = Callable[[Mapping[str, Tensor], float], dict[str, Tensor]]
"""Masks from the scores of single weights and the density that an event leaves."""


class Sparsify(StepHook):
    """Remove weights at events while a network trains.

    Args:
        layers: the prunable layers by name, masks attached.
        settings: what is removed and how fast.
        steps: of the training phase that the events are spread over.
        mode: what happens to pruned weights.
        macs: MACs that one weight of a layer costs, for `mac_power`.
        score_pass: gives the scores at an event number; None uses the running Taylor average of the steps.
        select: chooses the masks of an event; None lets single weights compete in the settings' scope.

    """

    def __init__(
        self,
        layers: Mapping[str, nn.Module],
        settings: PruneSettings,
        steps: int,
        mode: Mode,
        macs: Mapping[str, float],
        score_pass: ScorePass | None,
        select: Select | None = None,
    ) -> None:
        self._settings = settings
        self._mode = mode
        self._macs = macs
        self._score_pass = score_pass
        self._select = select or self._single_weights
        self._taylor = TaylorScore(layers, settings.score_decay) if score_pass is None else None
        self._at = event_steps(steps, settings.events, settings.event_share)
        self._done = 0
        self._started = False

    def before_step(self, trainer: Trainer, step: int) -> None:
        """Hold the events that are due."""
        if not self._started and self._done < len(self._at):
            self._mode.start(trainer.network)
            self._started = True
        while self._done < len(self._at) and self._at[self._done] <= step:
            self._event(trainer)

    def after_backward(self, trainer: Trainer, step: int) -> None:
        """Take the step's gradients into the scores."""
        del step
        if self._done == len(self._at):
            return
        if self._taylor is not None:
            self._taylor.add_batch()
        self._mode.after_backward(trainer.network)

    def finish(self, trainer: Trainer) -> None:
        """Hold the events that lie behind the last step."""
        for _ in progress(range(self._done, len(self._at)), "pruning events"):
            self._event(trainer)

    def state(self) -> dict[str, Tensor]:
        """Events held so far and the running scores."""
        scores = self._taylor.state() if self._taylor is not None else {}
        return {"done": torch.tensor(self._done), **{f"score.{name}": tensor for name, tensor in scores.items()}}

    def load(self, state: dict[str, Tensor]) -> None:
        """Go on from `state`."""
        self._done = int(state["done"])
        if self._taylor is not None:
            self._taylor.load({name.removeprefix("score."): tensor for name, tensor in state.items()})

    def _event(self, trainer: Trainer) -> None:
        self._done += 1
        scores = self._score_pass(self._done) if self._score_pass is not None else self._running()
        competing = self._mode.weigh(per_mac(scores, self._macs, self._settings.mac_power), trainer.network)
        target = density_after(
            self._done,
            len(self._at),
            self._settings.schedule,
            1.0 - self._settings.first_sparsity,
            1.0 - self._settings.sparsity,
        )
        set_masks(trainer.network, self._select(competing, target))
        self._mode.after_event(trainer.network, trainer.optimizer)
        if self._done == len(self._at):
            self._mode.finish(trainer.network)

    def _single_weights(self, scores: Mapping[str, Tensor], density: float) -> dict[str, Tensor]:
        floor = FloorSettings(share=self._settings.floor_share, per_filter=self._settings.floor_per_filter)
        return scope_named(self._settings.scope)(scores, density, floor)

    def _running(self) -> dict[str, Tensor]:
        assert self._taylor is not None
        if self._taylor.batches == 0:
            raise InputError(
                "no step was scored before the first event",
                where="prune",
                found=f"{len(self._at)} events, the first before step {self._at[0]}",
                remedy="take more steps or fewer events, or a score that needs no steps",
            )
        return self._taylor.scores()

    @staticmethod
    def density(network: nn.Module) -> float:
        """The share of prunable weights that is left."""
        return density(masks_of(network))
