"""Runs in Python: recipes as names, paths and dicts, single stages, and what a run's folder gives."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import disparsity
from disparsity.api.run import Run, resolve
from disparsity.base.errors import InputError


def test_a_finished_run_gives_its_report_network_and_stages(finished: Path) -> None:
    run = Run(finished)
    assert dict(run.report) == json.loads((finished / "report" / "report.json").read_text())
    assert [stage.name for stage in run.stages] == ["prune", "finetune", "quantize", "finetune_quantized"]
    assert run.network.stage == "quantized"
    assert run.packed.stat().st_size == run.report["memory"]["packed_file_bytes"]
    assert np.mean([mask.mean() for mask in run.network.masks.values()]) < 0.5


@pytest.mark.parametrize("name", ["channel_maps", "weight_masks", "pair", "energy_split"])
def test_figures_of_a_run(finished: Path, name: str) -> None:
    assert isinstance(Run(finished).figure(name), Figure)


def test_figures_that_a_run_does_not_have(finished: Path) -> None:
    with pytest.raises(InputError, match="unknown pair '1'; expected 0"):
        Run(finished).figure("pair", 1)
    with pytest.raises(InputError, match="unknown figure 'cat'"):
        Run(finished).figure("cat")


def test_a_recipe_is_a_path_a_table_or_a_recipe(write_recipe: Callable[..., Path], tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    changes = {"prune.sparsity": 0.5, "data.crop": "16x32", "report.tensorboard": True}
    expected = resolve(path, changes)
    assert (expected.prune.sparsity, expected.data.crop, expected.report.tensorboard) == (0.5, "16x32", True)
    assert resolve(str(path), changes) == expected
    assert (
        resolve(path, {"prune": {"sparsity": 0.5}, "data": {"crop": "16x32"}, "report.tensorboard": True}) == expected
    )
    assert resolve(tomllib.loads(path.read_text()), changes) == expected
    assert resolve(resolve(path), changes) == expected
    assert resolve(path, {"network.checkpoint": tmp_path}).network.checkpoint == str(tmp_path)
    assert resolve("demo").prune is not None


def test_a_single_stage_says_how_accurate_it_is(write_recipe: Callable[..., Path], tmp_path: Path) -> None:
    run = disparsity.run(write_recipe(tmp_path), tmp_path / "run", stage="prune")
    (stage,) = run.stages
    (row,) = stage.accuracy
    scored = disparsity.evaluate(stage.folder, row["data"], mask=0)
    assert row["epe_px"] == pytest.approx(scored["epe_px"], rel=1e-5)
    with pytest.raises(InputError, match="the run has no report; run its recipe to the end"):
        run.report  # noqa: B018


def test_an_empty_run_and_one_of_several_processes(write_recipe: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the run has no finished stage"):
        Run(tmp_path).network  # noqa: B018
    with pytest.raises(InputError, match="several processes share this recipe; found 2; start it with the command"):
        disparsity.run(write_recipe(tmp_path), tmp_path / "run", {"processes": 2})
    with pytest.raises(InputError, match="a start is of a single stage; found here; expected stage=NAME"):
        disparsity.run(write_recipe(tmp_path), tmp_path / "run", start="here")


def test_stages_without_a_report(write_recipe: Callable[..., Path], tmp_path: Path, finished: Path) -> None:
    run = disparsity.run(write_recipe(tmp_path), tmp_path / "run", report=False)
    assert not (run.folder / "report").exists()
    assert [stage.name for stage in run.stages] == [stage.name for stage in Run(finished).stages]
    assert run.stages[-1].accuracy[0]["epe_px"] == Run(finished).report["accuracy"][-1]["epe_px"]
