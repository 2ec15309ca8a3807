"""Workers with runs that take no time: the loop, its resumption, and two workers on one study."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from disparsity.base.errors import DivergedError, StoppedError
from disparsity.finetune.settings import TrainSettings
from disparsity.recipe.recipe import Recipe
from disparsity.recipe.sections import PruneSection
from disparsity.recipe.sweep import Parameter, SweepSettings
from disparsity.sweep import worker
from disparsity.sweep.study import Study, default_storage

pytest.importorskip("optuna", reason="the extra [sweep] is not installed")

SETTINGS = SweepSettings(parameters={"prune.sparsity": Parameter(low=0.5, high=0.95)}, sampler="random", trials=4)
RECIPE = Recipe(prune=PruneSection(sparsity=0.9, train=TrainSettings(steps=20)))


def fake_run(recipe: Recipe, out: Path) -> dict[str, Any]:
    """Error rises and cost falls with sparsity."""
    assert recipe.prune is not None
    out.mkdir(parents=True)
    sparsity = recipe.prune.sparsity
    rows = [
        {"data": "t", "stage": stage, "epe_px": error} for stage, error in (("dense", 1.0), ("pruned", 1 + sparsity))
    ]
    return {"accuracy": rows, "memory": {"packed_file_bytes": 1000 * (1 - sparsity)}}


def new_study(folder: Path) -> Study:
    return Study(default_storage(folder), SETTINGS, "recipe", 0)


def test_a_worker_runs_until_there_are_enough(tmp_path: Path) -> None:
    study, reports = new_study(tmp_path), []
    worker.work(RECIPE, SETTINGS, study, tmp_path, lambda: reports.append(1), fake_run)
    trials = study.finished()
    assert len(trials) == len(reports) == 4
    for trial in trials:
        sparsity = trial["settings"]["prune.sparsity"]
        assert trial["error"] == pytest.approx(1 + sparsity)
        assert trial["cost"] == pytest.approx(1000 * (1 - sparsity))
    worker.work(RECIPE, SETTINGS, study, tmp_path, lambda: reports.append(1), fake_run)
    assert len(reports) == 4


def test_a_stopped_trial_is_taken_up_where_it_was(tmp_path: Path) -> None:
    folders = []

    def stopped(recipe: Recipe, out: Path) -> dict[str, Any]:
        folders.append((recipe, out))
        raise StoppedError("stopped by a signal")

    with pytest.raises(StoppedError):
        worker.work(RECIPE, SETTINGS, new_study(tmp_path), tmp_path, lambda: None, stopped)

    def noted(recipe: Recipe, out: Path) -> dict[str, Any]:
        folders.append((recipe, out))
        return fake_run(recipe, out)

    worker.work(RECIPE, SETTINGS, new_study(tmp_path), tmp_path, lambda: None, noted)
    assert folders[0] == folders[1]
    assert len(folders) == 1 + SETTINGS.trials


def test_what_cannot_be_run_is_noted_and_the_sweep_goes_on(tmp_path: Path) -> None:
    def sometimes(recipe: Recipe, out: Path) -> dict[str, Any]:
        if not (tmp_path / "tried").exists():
            (tmp_path / "tried").touch()
            raise DivergedError("the training diverged")
        return fake_run(recipe, out)

    study = new_study(tmp_path)
    worker.work(RECIPE, SETTINGS, study, tmp_path, lambda: None, sometimes)
    assert len(study.finished()) == 4
    assert list(study.failed().values()) == ["the training diverged"]


def test_two_workers_share_a_study(tmp_path: Path) -> None:
    together = threading.Barrier(2)
    turns: dict[int, int] = {}

    def slow(recipe: Recipe, out: Path) -> dict[str, Any]:
        me = threading.get_ident()
        turns[me] = turns.get(me, 0) + 1
        if turns[me] == 1:
            together.wait(60)  # both are inside a run at once
        return fake_run(recipe, out)

    studies = [new_study(tmp_path), new_study(tmp_path)]
    threads = [
        threading.Thread(target=worker.work, args=(RECIPE, SETTINGS, study, tmp_path / str(place), lambda: None, slow))
        for place, study in enumerate(studies)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(turns) == 2
    numbers = [trial["number"] for trial in studies[0].finished()]
    assert len(numbers) == len(set(numbers))
    assert SETTINGS.trials <= len(numbers) <= SETTINGS.trials + 1
