"""Looking at a run that goes on: its lock is held by somebody else, its last line may be half written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity.cli import main
from disparsity.recipe.recipe import load_recipe
from disparsity.report.training_curves import write_curves
from disparsity.run.folder import append_metrics, open_run
from disparsity.run.status import state_of

ROW = {"step": 20, "loss": 2.5, "learning_rate": 1e-3, "sparsity": 0.875, "epe_px": 3.456}


def begin(run: Path, *rows: dict) -> None:
    (run / "stages" / "01-prune").mkdir(parents=True)
    for row in rows:
        append_metrics(run / "stages" / "01-prune", row)


def test_the_last_row_in_words(tmp_path: Path) -> None:
    assert state_of(tmp_path) is None
    begin(tmp_path, {**ROW, "step": 10}, ROW)
    figures = "step 20, loss 2.5, EPE of its batches 3.46 px, 87.5% zeros"
    assert state_of(tmp_path) == f"01-prune (stopped; run the same command again to resume): {figures}"


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    begin(tmp_path)
    assert state_of(tmp_path) == "01-prune (stopped; run the same command again to resume): no metrics yet"
    append_metrics(tmp_path / "stages" / "01-prune", {**ROW, "loss": None, "epe_px": None})
    assert str(state_of(tmp_path)).endswith(": step 20, 87.5% zeros")


def test_no_curves_without_metrics(tmp_path: Path) -> None:
    assert write_curves(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_before_the_first_stage_has_ended_a_report_shows_the_training(
    write_recipe: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, recipe = tmp_path / "run", load_recipe(write_recipe(tmp_path))
    with open_run(run, recipe):
        begin(run, {**ROW, "step": 10}, ROW)
        with (run / "stages/01-prune/metrics.jsonl").open("a") as file:
            file.write('{"step": 30, "lo')
        assert main(["report", str(run)]) == 0
    figures = run / "report" / "figures"
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"report: {figures / 'training_curves.svg'}"
    assert printed[1].startswith("not finished: 01-prune (a process works on it): step 20, ")
    assert sorted(path.name for path in figures.iterdir()) == ["training_curves.png", "training_curves.svg"]


@pytest.mark.slow
def test_between_two_stages_a_report_is_of_those_that_ended(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    shutil.rmtree(run / "stages" / "03-quantize")
    (run / "stages" / "04-finetune_quantized").rename(run / "stages" / "03-quantize")
    (run / "stages" / "03-quantize" / "checkpoint.json").unlink()
    (run / "evaluation" / "quantized.json").unlink()
    with open_run(run, load_recipe(run / "recipe.toml")):
        assert main(["report", str(run)]) == 0
    assert "not finished: 03-quantize (a process works on it)" in capsys.readouterr().out
    report = json.loads((run / "report" / "report.json").read_text())
    assert [row["stage"] for row in report["accuracy"]] == ["dense", "pruned"]
