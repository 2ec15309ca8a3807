"""Recipes and output folders that a run must refuse before it makes or changes anything."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity.base.errors import InputError
from disparsity.cli import main

Refused = Callable[..., str]

CHANGES = {
    "prune.sparsitty=0.5": "prune: unknown key 'sparsitty'; expected sparsity, ",
    "pruning.sparsity=0.5": "did you mean 'prune'?",
    "prune.train.learning_rte=0.5": "did you mean 'learning_rate'?",
    "prune.mode=frozn": "prune.mode: unknown name 'frozn'; expected frozen, regrow, ",
    "prune.score=tailor": "prune.score: unknown name 'tailor'; expected taylor, ",
    "prune.scope=globl": "prune.scope: unknown name 'globl'",
    "prune.events=100": "prune.events: no step is scored before the first event; found 100 events in 4 steps",
    "prune.mode.regrow_penalty=0.5": "prune.mode: frozen does not read the key 'regrow_penalty'; expected no key",
    "prune.handicap=0.5": "keys of an older form: prune.handicap is now prune.mode.regrow_penalty",
    "quantize.quantizer=lsk": "quantize.quantizer: unknown name 'lsk'; expected lsq, uniform, ",
    "quantize.quantizer.initialisation=foo": "quantize.quantizer.initialisation: unknown name 'foo'",
    "quantize.weight_bits=0": "quantize.weight_bits: out of range",
    "quantize.quantizer=ternary": "quantize.weight_bits: out of range; found 4; expected 2 with quantizer ternary",
    "quantize.quantizer.other=uniform": "quantize.quantizer: lsq does not read the key 'other'",
    "quantize.calibration=mean": "quantize.calibration: unknown name 'mean'; expected auto, mse, percentile, max",
    "quantize.quantizer.granularity=all": "granularity: unknown name 'all'; expected per_tensor, per_channel",
    "quantize.quantizer.granularity.size=4": "per_channel does not read the key 'size'; expected no key beside name",
    "network.name=stereonet": "checkpoint of another network; found reference; expected stereonet",
    "network.checkpoint=nowhere": "nowhere: no such checkpoint",
    "network.checkpoint=builtin:nowhere": "builtin:nowhere: no such checkpoint",
    "data.train=[]": "data.train: the recipe names no training data",
    "data.test=[]": "report.size: no input size to count costs at",
    "data.weights=[1.0, 2.0]": "data.weights: one weight per training URI; found 2; expected 1",
    "data.weights=[nan]": "data.weights: not a finite number",
    "data.weights=[-1.0]": "data.weights: out of range; found -1.0; expected 0 or more",
    "data.batch=0": "data.batch: out of range; found 0; expected 1 or more",
    "data.mask_disparity=-1.0": "data.mask_disparity: out of range",
    "data.mask_disparity=nan": "data.mask_disparity: not a finite number",
    "data.crop=64": "data.crop: wrong type; found 64; expected str",
    "data.crop=big": "data.crop: not a size; found 'big'; expected HxW, e.g. 544x960",
    "data.crop=64x64": "the crop is larger than the pair",
    "report.size=96x": "report.size: not a size; found '96x'; expected HxW",
    "report.size=²x3": "report.size: not a size",
    "report.size=999999x9": "report.size: not a size",
    "report.profile=horowitz": "unknown profile 'horowitz'; expected aladdin40, eyeriss65, horowitz45",
    "report.pictures=-1": "report.pictures: out of range",
    "report.runtime=tflite": "report.runtime: unknown latency runtime 'tflite'; expected onnxruntime, openvino",
    "seed=-1": "seed: out of range; found -1; expected 0 or more, below 2147483648",
    "seed=2147483648": "seed: out of range",
    "threads=-1": "threads: out of range; found -1; expected 0..256",
    "threads=100000": "threads: out of range",
    "nonsense": "nonsense",
}


@pytest.fixture
def recipe(write_recipe: Callable[..., Path], tmp_path: Path) -> Path:
    return write_recipe(tmp_path)


@pytest.mark.parametrize("change", CHANGES)
def test_a_wrong_setting_makes_no_folder(refused: Refused, recipe: Path, tmp_path: Path, change: str) -> None:
    assert CHANGES[change] in refused(2, "run", recipe, "--out", tmp_path / "runs" / "one", "--set", change)


@pytest.mark.parametrize("command", ["prune", "finetune", "quantize"])
def test_one_stage_refuses_as_early(refused: Refused, recipe: Path, tmp_path: Path, command: str) -> None:
    out = tmp_path / "runs" / "one"
    assert "seed: out of range" in refused(2, command, recipe, "--out", out, "--set", "seed=-1")
    assert "no such checkpoint" in refused(2, command, recipe, "--out", out, "--set", "network.checkpoint=nowhere")
    assert "nowhere: no such checkpoint" in refused(2, command, recipe, "--out", out, "--from", "nowhere")


def test_a_stage_that_the_recipe_does_not_have(refused: Refused, recipe: Path, tmp_path: Path) -> None:
    line = refused(2, "train", recipe, "--out", tmp_path / "one")
    assert "the recipe has no section [train]; expected one of ['prune', 'finetune', 'quantize'" in line


def test_a_recipe_that_compresses_nothing(refused: Refused, tmp_path: Path) -> None:
    recipe = tmp_path / "empty.toml"
    recipe.write_text('[data]\ntrain = ["synthetic:"]\n')
    assert "compresses nothing" in refused(2, "run", recipe, "--out", tmp_path / "one")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"[prune\n", "not a TOML file"), (b"\xff\xfe", "not a TOML file"), (b"prune = 3\n", "prune: not a table")],
)
def test_a_file_that_is_no_recipe(refused: Refused, tmp_path: Path, content: bytes, message: str) -> None:
    recipe = tmp_path / "bad.toml"
    recipe.write_bytes(content)
    line = refused(2, "run", recipe, "--out", tmp_path / "one")
    assert "bad.toml" in line
    assert message in line
    assert "nowhere.toml: no such recipe" in refused(2, "run", tmp_path / "nowhere.toml", "--out", tmp_path / "one")


def test_the_folder_of_another_recipes_run(refused: Refused, recipe: Path, finished: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    line = refused(2, "run", recipe, "--out", run, "--set", "prune.sparsity=0.5")
    assert f"{run}: the folder holds the run of another recipe; choose another --out, or remove it" in line
    assert "another recipe" in refused(2, "prune", recipe, "--out", run, "--set", "seed=1")


def test_a_foreign_folder_and_a_file_in_the_way(refused: Refused, recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("years of work")
    assert "is not empty and holds no run" in refused(2, "run", recipe, "--out", tmp_path / "home")
    assert "the output is not a folder" in refused(2, "run", recipe, "--out", tmp_path / "home" / "thesis.tex")
    assert "disparsity: " in refused(2, "run", recipe, "--out", tmp_path / "home" / "thesis.tex" / "run")


def test_the_demo_refuses_a_foreign_folder(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert "is not empty and holds no run" in refused(2, "demo", "--out", tmp_path)


def test_debug_shows_the_traceback(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="seed: out of range"):
        main(["run", str(recipe), "--out", str(tmp_path / "one"), "--set", "seed=-1", "--debug"])
