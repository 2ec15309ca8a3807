"""Row 3: stopped at every step, with and without workers, and while judging: the same bits as a run left alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from campaign.cycles import finish, new_trainer, outcome

from disparsity import pipeline
from disparsity.base.errors import StoppedError
from disparsity.base.signals import stop_on_signal
from disparsity.datasets.batches.prefetch import Prefetcher
from disparsity.run.resumable import ResumableTraining

STEPS = 20


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("unbroken")
    with stop_on_signal() as stop:
        finish(folder, new_trainer(STEPS, 32, 64), stop)
    return outcome(folder)


@pytest.mark.parametrize(("workers", "every"), [(0, 1), (2, 5)])
def test_stopped_again_and_again_by_real_signals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unbroken: list[str], workers: int, every: int
) -> None:
    """Without workers at every step: whatever a checkpoint of any step lacked would show in the hashes."""
    after_step, stops = ResumableTraining.after_step, 0

    def signalled(self: ResumableTraining, trainer: object, step: int, loss: float) -> None:
        if (step + 1) % every == 0:
            os.kill(os.getpid(), signal.SIGINT if step % 2 else signal.SIGTERM)
        after_step(self, trainer, step, loss)

    monkeypatch.setattr(ResumableTraining, "after_step", signalled)
    while True:
        trainer = new_trainer(STEPS, 32, 64)
        prefetcher = Prefetcher(trainer._batches.__self__, workers) if workers else None
        if prefetcher:
            trainer._batches = prefetcher.next_batch
        try:
            with stop_on_signal() as stop:
                finish(tmp_path, trainer, stop)
            break
        except StoppedError:
            stops += 1
        finally:
            if prefetcher:
                prefetcher.close()
    assert stops == STEPS // every - 1  # asked at its last step, the training ends
    assert outcome(tmp_path) == unbroken
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_signal_in_an_evaluation_need_not_wait_for_its_end(
    write_recipe: Callable[[Path], Path],
    one_line: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached = []

    def judged(*_arguments: object, **_named: object) -> list[object]:
        os.kill(os.getpid(), signal.SIGTERM)
        reached.append("behind the signal")
        return []

    monkeypatch.setattr(pipeline, "evaluate_all", judged)
    line = one_line(75, "run", write_recipe(tmp_path), "--out", tmp_path / "run")
    assert "run: stopped by a signal after a clean checkpoint; run the same command again to resume" in line
    assert reached == []
    assert not (tmp_path / "run" / "evaluation").exists()
