"""Resumable training inside a stage: metrics, periodic checkpoints, clean stops, exact resumption."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from disparsity.base import distributed
from disparsity.base.errors import InputError
from disparsity.base.signals import StopRequest
from disparsity.checkpoint.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from disparsity.finetune.running_error import RunningError
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.masks import density, masks_of
from disparsity.run.folder import append_metrics, check_present, trim_metrics
from disparsity.run.tensorboard import Scalars

_RESUME_FILE = "resume.json"
_METRICS_EVERY = 10
_SAVE_EVERY_SECONDS = 120.0


class ResumableTraining(StepHook):
    """Runs a trainer within a stage's folder; of several processes only the first writes there.

    Args:
        folder: the stage's folder.
        stop: set by a signal.
        tensorboard: write the metrics for TensorBoard too.

    """

    def __init__(self, folder: Path, stop: StopRequest, *, tensorboard: bool = False) -> None:
        self._folder = folder
        self._stop = stop
        self._tensorboard = tensorboard
        self._scalars: Scalars | None = None
        self._losses: list[float] = []
        self._errors = RunningError()
        self._earlier_seconds = 0.0
        self._started = self._saved = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time spent so far, over all resumptions."""
        return self._earlier_seconds + time.monotonic() - self._started

    def run(self, trainer: Trainer, label: str) -> None:
        """Train to the end, from where a stopped run left off.

        Raises:
            StoppedError: a signal has stopped the run; a checkpoint of this step has been written.
            InputError: the stored state is not one of this training: another version of disparsity wrote it.

        """
        trainer.hooks.append(self)
        self._errors = trainer.errors
        resume = self._folder / _RESUME_FILE
        if resume.is_file():
            stored = load_checkpoint(resume)
            _check_state(trainer.state(), stored.tensors, resume)
            trainer.load(stored.tensors)
            self._earlier_seconds = float(stored.metadata["seconds"])
        if distributed.is_first():
            trim_metrics(self._folder, trainer.step)
            self._scalars = Scalars(self._folder, trainer.step) if self._tensorboard else None
        try:
            trainer.run(label)
        finally:
            if self._scalars is not None:
                self._scalars.close()
        for hook in trainer.hooks:
            hook.finish(trainer)

    def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
        """Log, save, and stop after a signal."""
        if math.isfinite(loss):
            self._losses.append(loss)
        if (step + 1) % _METRICS_EVERY == 0:
            self._log(trainer, step, self._errors.take())
            self._losses.clear()
        if step + 1 < trainer.settings.steps and self._must_save():
            if distributed.is_first():
                check_present(self._folder)
                metadata = {"step": step + 1, "seconds": self.seconds}
                save_checkpoint(self._folder / _RESUME_FILE, Checkpoint(trainer.state(), metadata))
            self._saved = time.monotonic()
            self._stop.raise_if_asked(self._folder)

    def state(self) -> dict[str, Tensor]:
        """The losses and errors of the metrics row in progress."""
        return {"losses": torch.tensor(self._losses, dtype=torch.float64), "errors": self._errors.sums}

    def load(self, state: dict[str, Tensor]) -> None:
        """Go on from `state`."""
        self._losses = state["losses"].tolist()
        self._errors.sums = state["errors"]

    def clear(self) -> None:
        """Remove the checkpoint of training that has ended."""
        (self._folder / _RESUME_FILE).unlink(missing_ok=True)
        for old in self._folder.glob(f"{Path(_RESUME_FILE).stem}-*.safetensors"):
            old.unlink()

    def _must_save(self) -> bool:
        due = distributed.is_first() and time.monotonic() - self._saved > _SAVE_EVERY_SECONDS
        return distributed.any_true(self._stop.asked or due)

    def _log(self, trainer: Trainer, step: int, epe_px: float | None) -> None:
        """A row for the file, the bar and TensorBoard; called by all processes, written by the first."""
        if not distributed.is_first():
            return
        row = self._row(trainer, step) | {"epe_px": epe_px}
        append_metrics(self._folder, row)
        if epe_px is not None:
            trainer.note(f"EPE {epe_px:.2f} px")
        if self._scalars is not None:
            self._scalars.add(row)

    def _row(self, trainer: Trainer, step: int) -> dict[str, Any]:
        masks = masks_of(trainer.network)
        return {
            "step": step + 1,
            "loss": sum(self._losses) / len(self._losses) if self._losses else None,
            "learning_rate": trainer.optimizer.param_groups[0]["lr"],
            "sparsity": 1.0 - density(masks) if masks else 0.0,
        }


def _check_state(expected: Mapping[str, Tensor], stored: Mapping[str, Tensor], where: Path) -> None:
    """Refuse a stored state that is not one of this training, of which `expected` is the state before the first step.

    During the steps it grows: by the moments of the optimizer, and by what hooks collect.
    """
    lost = [f"no '{name}'" for name in expected if name not in stored]
    network = [name for name in {**expected, **stored} if name.startswith("network.")]
    lost += [f"'{name}', which this network has not" for name in network if name not in expected]
    both = [name for name in network if name in expected and name in stored]
    lost += [f"'{n}' {list(stored[n].shape)}" for n in both if stored[n].shape != expected[n].shape]
    if lost:
        raise InputError(
            "this stage was left in its middle by another version of disparsity",
            where=where,
            found=lost[0],
            remedy="finish it with that version, or remove the stage's folder to start the stage again",
        )
