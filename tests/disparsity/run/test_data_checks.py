"""What is refused or said about data before a run, and runs that need no ground truth."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity import pipeline
from disparsity.base.errors import DataError
from disparsity.cli import main
from disparsity.datasets.export import export_kitti2015
from disparsity.datasets.uri import open_data
from disparsity.recipe.recipe import load_recipe

SCENES = "synthetic:?pairs={}&size=32x64&seed={}&max_disparity={}"


@pytest.fixture
def unlabelled(tmp_path: Path) -> str:
    """Four pairs in KITTI's layout without ground truth."""
    export_kitti2015(open_data(SCENES.format(4, 3, 16)), tmp_path / "kitti")
    (tmp_path / "kitti" / "training").rename(tmp_path / "kitti" / "testing")
    for path in (tmp_path / "kitti" / "testing" / "disp_occ_0").iterdir():
        path.unlink()
    (tmp_path / "kitti" / "testing" / "disp_occ_0").rmdir()
    return f"kitti2015:{tmp_path / 'kitti'}"


@pytest.fixture
def run(
    write_recipe: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], unreported: None
) -> Callable[..., str]:
    """Runs the tiny recipe with changes; returns standard error."""

    def do(*changes: str) -> str:
        pipeline.run(load_recipe(write_recipe(tmp_path), changes), tmp_path / "run")
        return capsys.readouterr().err

    return do


def test_a_recipe_that_uses_labels_refuses_pairs_without(run: Callable, unlabelled: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the pairs have no ground truth; .* prune\.train\.supervised_weight = 0"):
        run(f'data.train=["{unlabelled}"]')
    assert not (tmp_path / "run").exists()


def test_test_data_needs_labels(run: Callable, unlabelled: str) -> None:
    with pytest.raises(DataError, match=r"the pairs have no ground truth; .*; data\.test is scored"):
        run(f'data.test=["{unlabelled}"]')


def test_a_teacher_alone_trains_on_pairs_without_labels(run: Callable, unlabelled: str, tmp_path: Path) -> None:
    phases = ("prune.train", "finetune", "finetune_quantized")
    weights = [f"{phase}.{key}" for phase in phases for key in ("supervised_weight=0.0", "teacher=dense")]
    run(f'data.train=["{unlabelled}"]', *weights)
    assert (tmp_path / "run" / "evaluation" / "quantized.json").is_file()


def test_truth_out_of_reach_is_said(run: Callable) -> None:
    error = run(f'data.train=["{SCENES.format(6, 1, 60)}"]')
    assert "px, are not trained on: the limit is 16 px" in error
    (share,) = re.findall(r"([0-9.e+]+) % of the known pixels of 4 pairs", error)
    known = [sample.disparity[sample.valid] for sample in open_data(SCENES.format(6, 1, 60))][:4]
    beyond = sum(float((values >= 16).sum()) for values in known) / sum(len(values) for values in known)
    assert float(share) == pytest.approx(100 * beyond, rel=0.05)


def test_labels_that_are_all_out_of_reach_are_refused(run: Callable, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"no training pixel has a usable disparity; expected known disparities below 0\.5"
    ):
        run("data.mask_disparity=0.5")
    assert not (tmp_path / "run").exists()


def test_test_samples_that_are_trained_on_are_said(run: Callable) -> None:
    data = SCENES.format(6, 1, 16)
    error = run(f'data.test=["{SCENES.format(2, 1, 16)}"]')
    assert f"2 of 2 samples of {SCENES.format(2, 1, 16)} are trained on, as part of {data}: synthetic/1/000000" in error


def test_evaluating_pairs_without_labels_is_one_error(
    checkpoint: Path, unlabelled: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(checkpoint), "--data", unlabelled]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "the pairs have no ground truth; expected disparity maps; without it, `disparsity predict`" in error


def test_costs_are_measured_on_pairs_without_labels(checkpoint: Path, unlabelled: str) -> None:
    assert main(["cost", str(checkpoint), "--size", "32x64", "--data", unlabelled]) == 0
