"""Signals: a stopped command exits with 75 and the same command finishes as if it had never been stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity.base.atomic_io import sha256_of
from disparsity.checkpoint.checkpoints import load_checkpoint
from disparsity.cli import main
from disparsity.run.resumable import ResumableTraining

STEPS = "prune.train.steps=30"
CODE = "import sys; from disparsity.cli import main; sys.exit(main(sys.argv[1:]))"


def tensors(run: Path) -> list[str]:
    return [sha256_of(path) for path in sorted(run.glob("stages/01-prune/checkpoint-*.safetensors"))]


@pytest.mark.slow
def test_a_signal_stops_a_process_cleanly(
    write_recipe: Callable[..., Path], run_main: Callable[..., str], tmp_path: Path
) -> None:
    recipe, out = write_recipe(tmp_path), tmp_path / "run"
    command = ["prune", str(recipe), "--out", str(out), "--set", STEPS]
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not (out / "recipe.toml").is_file() and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    printed, errors = process.communicate(timeout=100)
    assert (process.returncode, printed) == (75, ""), errors
    assert errors.count("\n") == 1
    assert "stopped by a signal after a clean checkpoint; run the same command again to resume" in errors
    assert load_checkpoint(out / "stages" / "01-prune" / "resume.json").metadata["step"] >= 1
    run_main(*command)
    run_main("prune", recipe, "--out", tmp_path / "unbroken", "--set", STEPS)
    assert tensors(out) == tensors(tmp_path / "unbroken") != []
    assert not list(out.rglob("resume*"))


@pytest.fixture(scope="module")
def stopped(write_recipe: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recipe and a run of it that was stopped after its first step; tests must not change it."""
    folder = tmp_path_factory.mktemp("stopped")
    with pytest.MonkeyPatch.context() as patch:
        signal_at_step(patch, 1)
        assert main(["prune", str(write_recipe(folder)), "--out", str(folder / "run")]) == 75
    return folder


@pytest.mark.parametrize("moment", range(6))
def test_a_second_signal_while_saving_damages_nothing(
    stopped: Path,
    run_main: Callable[..., str],
    finished: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    moment: int,
) -> None:
    folder = Path(shutil.copytree(stopped, tmp_path / "copy"))
    out = folder / "run"
    command = ["prune", str(folder / "recipe.toml"), "--out", str(out)]
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        signal_at_step(patch, 2)
        signal_at_write(patch, moment)
        assert main(command) == 130
    assert capsys.readouterr().err.count("\n") == 1
    assert load_checkpoint(out / "stages" / "01-prune" / "resume.json").metadata["step"] in (1, 2)
    assert not list(out.rglob("*.tmp"))
    run_main(*command)
    assert tensors(out) == tensors(finished)
    assert sorted(path.name for path in (out / "stages" / "01-prune").glob("*.safetensors")) == sorted(
        path.name for path in (finished / "stages" / "01-prune").glob("*.safetensors")
    )


def signal_at_step(patch: pytest.MonkeyPatch, step: int) -> None:
    """Send a real signal to ourselves when `step` has been taken."""
    before = ResumableTraining.after_step

    def after_step(self: ResumableTraining, trainer: object, number: int, loss: float) -> None:
        if number + 1 == step:
            os.kill(os.getpid(), signal.SIGINT)
        before(self, trainer, number, loss)

    patch.setattr(ResumableTraining, "after_step", after_step)


def signal_at_write(patch: pytest.MonkeyPatch, moment: int) -> None:
    """Send a second one around the file operations of the save that the first one asked for."""
    calls = iter(range(1_000))

    def around(operation: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: object) -> None:
            if next(calls) == moment:
                os.kill(os.getpid(), signal.SIGTERM)
            operation(*arguments)

        return call

    started = ResumableTraining.after_step

    def after_step(self: ResumableTraining, trainer: object, number: int, loss: float) -> None:
        with pytest.MonkeyPatch.context() as inner:
            if number + 1 == 2:
                inner.setattr("disparsity.base.atomic_io.os.replace", around(os.replace))
                inner.setattr("disparsity.base.atomic_io.os.fsync", around(os.fsync))
            started(self, trainer, number, loss)

    patch.setattr(ResumableTraining, "after_step", after_step)
