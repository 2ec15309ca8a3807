"""Resumable training: stopped at any step and resumed, it gives the bits, files and metrics of an unbroken one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from disparsity.base.errors import InputError, StoppedError
from disparsity.base.signals import StopRequest
from disparsity.checkpoint.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from disparsity.datasets.batches.stream import TrainingStream
from disparsity.datasets.synthetic import SyntheticDataset, SyntheticSettings
from disparsity.finetune.modes.regrow import Regrow
from disparsity.finetune.modes.settings import RegrowSettings
from disparsity.finetune.objective import Objective
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.sparsify import Sparsify
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.masks import attach_masks
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.settings import PruneSettings
from disparsity.run import resumable
from disparsity.run.folder import read_metrics
from disparsity.run.resumable import ResumableTraining
from disparsity.stereo.networks import build_network

STEPS = 7


@pytest.fixture(autouse=True)
def _rows_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumable, "_METRICS_EVERY", 2)


def new_trainer() -> Trainer:
    torch.manual_seed(0)
    network = build_network("stereonet", halvings=2, width=4, refinement_width=4, max_disparity=16)
    scenes = SyntheticDataset(SyntheticSettings(pairs=3, height=32, width=64, max_disparity=16.0))
    layers = prunable_layers(network, network.spec.protected)
    attach_masks(network, layers)
    settings = PruneSettings(sparsity=0.7, events=3)
    hook = Sparsify(layers, settings, STEPS, Regrow(RegrowSettings()), dict.fromkeys(layers, 1.0), None)
    objective = Objective(settings=TrainSettings(steps=STEPS, learning_rate=5e-3))
    return Trainer(network, TrainingStream([scenes], [1.0], 1, None, 0).next_batch, objective, [hook])


class AskAt(StepHook):
    """Asks to stop while a step is taken, as a signal would."""

    def __init__(self, step: int, stop: StopRequest) -> None:
        self._step = step
        self._stop = stop

    def after_backward(self, trainer: Trainer, step: int) -> None:
        if step == self._step:
            self._stop.asked = True


def finished(folder: Path, trainer: Trainer) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]]]:
    folder.mkdir(exist_ok=True)  # as a stage does
    training = ResumableTraining(folder, StopRequest())
    training.run(trainer, "test")
    training.clear()
    return trainer.network.state_dict(), read_metrics(folder / "metrics.jsonl")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]]]:
    """The weights and rows of a phase that nothing stopped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resumable, "_METRICS_EVERY", 2)
        return finished(tmp_path_factory.mktemp("unbroken"), new_trainer())


@pytest.mark.parametrize("stop_at", range(STEPS - 1))
def test_stopped_at_any_step_and_resumed_is_bit_identical(tmp_path: Path, stop_at: int, unbroken: Any) -> None:
    weights, rows = unbroken
    folder, stop, trainer = tmp_path / "stopped", StopRequest(), new_trainer()
    folder.mkdir()
    trainer.hooks.append(AskAt(stop_at, stop))
    with pytest.raises(StoppedError, match="stopped by a signal after a clean checkpoint"):
        ResumableTraining(folder, stop).run(trainer, "test")
    assert (folder / "resume.json").is_file()
    trainer = new_trainer()
    trainer.hooks.append(StepHook())  # the hooks of a run keep their places
    again, again_rows = finished(folder, trainer)
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert again_rows == rows
    assert [row["step"] for row in rows] == [2, 4, 6]
    assert sorted(path.name for path in folder.iterdir()) == ["metrics.jsonl"]


def test_killed_between_checkpoints_takes_the_lost_steps_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unbroken: Any
) -> None:
    weights, rows = unbroken
    monkeypatch.setattr(resumable, "_SAVE_EVERY_SECONDS", -1.0)

    class Dies(StepHook):
        def after_backward(self, trainer: Trainer, step: int) -> None:
            if step == 3:
                monkeypatch.setattr(resumable, "_SAVE_EVERY_SECONDS", 1e9)
            if step == 6:
                raise MemoryError

    trainer = new_trainer()
    trainer.hooks.append(Dies())
    (tmp_path / "killed").mkdir()
    with pytest.raises(MemoryError):
        ResumableTraining(tmp_path / "killed", StopRequest()).run(trainer, "test")
    with (tmp_path / "killed/metrics.jsonl").open("a") as file:
        file.write('{"step": 6, "lo')
    trainer = new_trainer()
    trainer.hooks.append(StepHook())
    again, again_rows = finished(tmp_path / "killed", trainer)
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert again_rows == rows


def test_request_at_the_last_step_lets_the_training_end(tmp_path: Path) -> None:
    stop, trainer = StopRequest(), new_trainer()
    trainer.hooks.append(AskAt(STEPS - 1, stop))
    training = ResumableTraining(tmp_path, stop)
    training.run(trainer, "test")
    assert Sparsify.density(trainer.network) == pytest.approx(0.3, abs=1e-3)
    assert training.seconds > 0


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda tensors: tensors.pop("skipped"), "no 'skipped'"),
        (lambda tensors: tensors.pop("hook.0.done"), "no 'hook.0.done'"),
        (lambda tensors: tensors.pop("network.downsampling.0.bias"), "no 'network.downsampling.0.bias'"),
        (lambda tensors: tensors.update({"network.more": torch.zeros(1)}), "'network.more', which this network has"),
        (lambda tensors: tensors.update({"network.downsampling.0.bias": torch.zeros(1)}), "'network.d.*bias' .1.;"),
    ],
)
def test_a_state_of_another_version_is_refused(tmp_path: Path, change: Callable[[dict], object], found: str) -> None:
    stop = StopRequest()
    trainer = new_trainer()
    trainer.hooks.append(AskAt(2, stop))
    with pytest.raises(StoppedError):
        ResumableTraining(tmp_path, stop).run(trainer, "prune")
    stored = load_checkpoint(tmp_path / "resume.json")
    change(stored.tensors)
    save_checkpoint(tmp_path / "resume.json", Checkpoint(stored.tensors, {"seconds": 0.0}))
    trainer = new_trainer()
    trainer.hooks.append(StepHook())  # the hooks of a run keep their places
    with pytest.raises(InputError, match=rf"resume\.json: .* another version of disparsity; found {found}"):
        ResumableTraining(tmp_path, StopRequest()).run(trainer, "prune")


def test_an_error_while_loading_is_no_other_version(tmp_path: Path) -> None:
    class Fails(StepHook):
        def load(self, state: dict[str, torch.Tensor]) -> None:
            raise KeyError("ours")

    stop, trainer = StopRequest(), new_trainer()
    trainer.hooks.append(AskAt(2, stop))
    with pytest.raises(StoppedError):
        ResumableTraining(tmp_path, stop).run(trainer, "prune")
    trainer = new_trainer()
    trainer.hooks.append(Fails())
    with pytest.raises(KeyError, match="ours"):
        ResumableTraining(tmp_path, StopRequest()).run(trainer, "prune")
