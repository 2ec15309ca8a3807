"""Sparsification during training: scores from the steps, masks at events, and a mode for the pruned weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.base.notices import notice
from disparsity.base.progress import progress
from disparsity.base.tensor_names import with_prefix, without_prefix
from disparsity.finetune.modes.base import EventWindow, Mode
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.mask_update import Select, competition, with_returning
from disparsity.pruning.masks import density, masks_of, set_masks
from disparsity.pruning.schedules import density_after, event_steps
from disparsity.pruning.scores.evidence import with_evidence
from disparsity.pruning.scores.normalisation import normalised, per_mac
from disparsity.pruning.scores.score import ScorePass
from disparsity.pruning.scores.settings import TaylorSettings
from disparsity.pruning.scores.taylor import TaylorScore
from disparsity.pruning.settings import PruneSettings


class Sparsify(StepHook):
    """Remove weights at events while a network trains.

    Args:
        layers: the prunable layers by name, masks attached.
        settings: sparsity, score, scope, pattern, schedule and mode.
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
        self._select = select or competition(settings, layers, macs)
        self._taylor = _running_score(layers, settings) if score_pass is None else None
        self._at = event_steps(steps, settings.events, settings.event_fraction, settings.event_warmup)
        self._done = 0
        self._started = False

    def before_step(self, trainer: Trainer, step: int) -> None:
        """Hold the events that are due."""
        if not self._started and self._active:
            self._mode.start(trainer.network)
            self._started = True
        while self._done < len(self._at) and self._at[self._done] <= step:
            self._event(trainer)
        if self._active:
            self._mode.before_step(trainer.network, self._window(step))

    def after_backward(self, trainer: Trainer, step: int) -> None:
        """Take the step's gradients into the scores."""
        del step
        if self._taylor is not None and self._done < len(self._at):
            self._taylor.add_batch()
        if self._active:
            self._mode.after_backward(trainer.network)

    def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
        """Let the mode treat what has moved."""
        del step, loss
        if self._active:
            self._mode.after_step(trainer.network)

    def finish(self, trainer: Trainer) -> None:
        """Hold the events that lie behind the last step, and end the mode."""
        for _ in progress(range(self._done, len(self._at)), "pruning events"):
            self._event(trainer)
        self._mode.end(trainer.network)

    def state(self) -> dict[str, Tensor]:
        """Events held so far and the running scores."""
        scores = self._taylor.state() if self._taylor is not None else {}
        return {
            "done": torch.tensor(self._done),
            **with_prefix("score.", scores),
            **with_prefix("mode.", self._mode.state()),
        }

    def load(self, state: dict[str, Tensor]) -> None:
        """Go on from `state`."""
        self._done = int(state["done"])
        if self._taylor is not None:
            self._taylor.load(without_prefix("score.", state))
        self._mode.load(without_prefix("mode.", state))

    @property
    def _active(self) -> bool:
        return self._mode.lasting or self._done < len(self._at)

    def _window(self, step: int) -> EventWindow:
        since = step - self._at[self._done - 1] if self._done else None
        return EventWindow(since=since, until=self._at[self._done] - step if self._done < len(self._at) else None)

    def _event(self, trainer: Trainer) -> None:
        self._done += 1
        self._mode.before_event(self._done, len(self._at))
        scores = self._scored(self._score_pass(self._done) if self._score_pass is not None else self._running())
        scaled = per_mac(normalised(scores, self._settings.normalisation), self._macs, self._settings.mac_power)
        competing = self._mode.adjust_scores(scaled, trainer.network)
        target = self._target(self._done)
        if self._done > 1 and target > self._target(self._done - 1):
            competing = with_returning(competing, scaled)
        set_masks(trainer.network, self._select(competing, target))
        self._mode.after_event(trainer.network, trainer.optimizer)
        if self._done == len(self._at):
            self._mode.finish(trainer.network)

    def _scored(self, scores: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The layers that have a score; the others keep their weights, and are named once."""
        found = with_evidence(scores)
        exempt = [name for name in scores if name not in found]
        if exempt and self._settings.pattern.name == "channel":
            raise InputError(
                "channels can be removed only where every layer has a score",
                where="prune.pattern",
                found=f"no gradient at {', '.join(exempt)}",
                remedy="train these layers, or name them in the spec's `uncompressed`",
            )
        if exempt and self._done == 1:
            notice(f"no score for {', '.join(exempt)}: no gradient reaches these layers; they keep all their weights")
        return found

    def _target(self, event: int) -> float:
        first, last = 1.0 - self._settings.schedule.first_sparsity, 1.0 - self._settings.sparsity
        return density_after(event, len(self._at), self._settings.schedule.name, first, last)

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
        """The fraction of prunable weights that is left."""
        return density(masks_of(network))


def _running_score(layers: Mapping[str, nn.Module], settings: PruneSettings) -> TaylorScore:
    assert isinstance(settings.score, TaylorSettings)
    return TaylorScore(layers, settings.score.decay, settings.score.form)
