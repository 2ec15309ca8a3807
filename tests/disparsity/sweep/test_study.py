"""A sweep's memory in a database."""

from __future__ import annotations

from pathlib import Path

import pytest

from disparsity.base.errors import InputError
from disparsity.recipe.sweep import Parameter, SweepSettings
from disparsity.sweep.study import Study, default_storage

pytest.importorskip("optuna", reason="the extra [sweep] is not installed")

SETTINGS = SweepSettings(
    parameters={
        "a.x": Parameter(low=0.0, high=1.0),
        "a.n": Parameter(low=2, high=8),
        "a.k": Parameter(choices=("u", "v")),
    },
    sampler="random",
)


def test_proposals_lie_in_their_ranges_and_are_remembered(tmp_path: Path) -> None:
    storage = default_storage(tmp_path)
    study = Study(storage, SETTINGS, "recipe", 0)
    number, values = study.propose("here")
    assert 0 <= values["a.x"] <= 1
    assert values["a.n"] in range(2, 9)
    assert values["a.k"] in ("u", "v")
    again = Study(storage, SETTINGS, "recipe", 0)
    assert again.begun("here") == [(number, values)]
    assert again.begun("elsewhere") == []
    again.finish(number, 1.5, 10.0)
    assert study.begun("here") == []
    expected = {"number": number, "settings": values, "error": 1.5, "cost": 10.0, "on_front": True}
    assert study.finished() == [expected]


def test_the_front_is_what_no_trial_beats_in_both(tmp_path: Path) -> None:
    study = Study(default_storage(tmp_path), SETTINGS, "recipe", 0)
    points = [(2.0, 100.0), (1.0, 500.0), (2.5, 400.0), (2.0, 300.0), (1.0, 500.0)]
    for error, cost in points:
        study.finish(study.propose("here")[0], error, cost)
    for trial in study.finished():
        here = trial["error"], trial["cost"]
        beaten = any(e <= here[0] and c <= here[1] and (e, c) != here for e, c in points)
        assert trial["on_front"] != beaten


def test_failed_trials_keep_their_reason_and_cost_no_trial(tmp_path: Path) -> None:
    study = Study(default_storage(tmp_path), SETTINGS, "recipe", 0)
    number, _ = study.propose("here")
    assert study.taken() == 1
    study.fail(number, "sparsity out of range")
    assert study.taken() == 0
    assert study.failed() == {number: "sparsity out of range"}


def test_the_same_seed_proposes_the_same(tmp_path: Path) -> None:
    studies = [Study(f"sqlite:///{tmp_path / name}.db", SETTINGS, "recipe", 7) for name in ("one", "two")]
    assert studies[0].propose("here") == studies[1].propose("here")


def test_another_recipe_is_refused(tmp_path: Path) -> None:
    storage = default_storage(tmp_path)
    Study(storage, SETTINGS, "recipe", 0)
    with pytest.raises(InputError, match="another recipe"):
        Study(storage, SETTINGS, "other", 0)


def test_a_storage_that_is_none_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        Study(f"sqlite:///{tmp_path / 'missing' / 'study.db'}", SETTINGS, "recipe", 0)
