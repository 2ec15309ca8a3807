"""The whole pipeline on a tiny network: what it writes, that it repeats itself, that it resumes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from disparsity import pipeline
from disparsity.errors import InputError, StoppedError
from disparsity.files import sha256_of
from disparsity.finetune.checkpoints import save_checkpoint
from disparsity.finetune.restore import network_checkpoint, open_network
from disparsity.hwcost.reports.schema import validate
from disparsity.packed import read_network
from disparsity.phases import Phase
from disparsity.recipe import Recipe, load_recipe
from disparsity.reporting import build_report
from disparsity.stereo.networks import build_network

RECIPE = """
threads = 1
[network]
name = "reference"
checkpoint = "{checkpoint}"
[data]
train = ["synthetic:?pairs=6&size=32x64&seed=1&max_disparity=16"]
test = ["synthetic:?pairs=2&size=32x64&seed=9&max_disparity=16"]
batch = 2
[prune]
sparsity = 0.8
score = "{score}"
mode = "{mode}"
events = 3
[prune.reconstruct]
pairs = 2
positions = 300
[prune.train]
steps = 4
rate = "constant"
[finetune]
steps = 4
teacher_weight = 1.0
[quantize]
[finetune_quantized]
steps = 4
learning_rate = 1e-4
[report]
pictures = 1
"""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    network = build_network("reference", halvings=2, width=6, refinement_width=4, max_disparity=16)
    folder = tmp_path_factory.mktemp("dense")
    save_checkpoint(folder / "checkpoint.json", network_checkpoint(network, {}))
    return folder


def recipe_for(checkpoint: Path, folder: Path, score: str = "taylor", mode: str = "frozen") -> Recipe:
    path = folder / "recipe.toml"
    path.write_text(RECIPE.format(checkpoint=checkpoint, score=score, mode=mode))
    return load_recipe(path)


@pytest.fixture(scope="module")
def finished(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    pipeline.run(recipe_for(checkpoint, folder), folder / "run")
    return folder / "run"


def without_times(report: dict) -> dict:
    settings = {name: value for name, value in report["settings"].items() if name != "seconds"}
    return {**report, "settings": settings}


def read_report(run: Path) -> dict:
    return json.loads((run / "report" / "report.json").read_text())


def tensor_hashes(run: Path) -> list[str]:
    return [sha256_of(path) for path in sorted(run.glob("stages/*/checkpoint-*.safetensors"))]


def test_a_run_leaves_what_the_interface_promises(finished: Path) -> None:
    for name in ("recipe.toml", "manifest.json", "compressed.h5", "report/report.html", "report/layers.csv"):
        assert (finished / name).is_file(), name
    stages = [path.parent.name for path in sorted(finished.glob("stages/*/checkpoint.json"))]
    assert stages == ["01-prune", "02-finetune", "03-quantize", "04-finetune_quantized"]
    report = read_report(finished)
    validate(report)
    assert [row["stage"] for row in report["accuracy"]] == ["dense", "pruned", "quantized"]


def test_the_packed_figure_is_the_size_of_the_packed_file(finished: Path) -> None:
    assert read_report(finished)["memory"]["packed_file_bytes"] == (finished / "compressed.h5").stat().st_size


def test_the_sparsity_is_exact_and_survives_quantization(finished: Path) -> None:
    network = open_network(str(finished / "stages" / "04-finetune_quantized"), None)
    masks = {name: module for name, module in network.named_modules() if type(module).__name__ == "WeightMask"}
    kept = sum(int(module.mask.sum()) for module in masks.values())
    total = sum(module.mask.numel() for module in masks.values())
    assert kept == round(0.2 * total)
    for name, module in masks.items():
        layer = network.get_submodule(name.split(".parametrizations")[0])
        assert not bool(layer.weight[~module.mask].any())


def test_import_gives_back_bit_identical_weights_and_outputs(finished: Path) -> None:
    stored = open_network(str(finished / "stages" / "04-finetune_quantized"), None)
    restored = read_network(finished / "compressed.h5")
    views = torch.rand(2, 1, 3, 32, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(stored(*views)[-1], restored(*views)[-1])
    for name, layer in stored.named_modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Conv3d):
            assert torch.equal(layer.weight, restored.get_submodule(name).weight), name


@pytest.mark.parametrize(("score", "mode"), [("obs", "reconstruct"), ("taylor", "regrow"), ("taylor_pass", "frozen")])
def test_the_same_seed_gives_the_same_bits(checkpoint: Path, tmp_path: Path, score: str, mode: str) -> None:
    recipe = recipe_for(checkpoint, tmp_path, score, mode)
    reports = [pipeline.run(recipe, tmp_path / name) for name in ("one", "two")]
    assert tensor_hashes(tmp_path / "one") == tensor_hashes(tmp_path / "two")
    assert sha256_of(tmp_path / "one" / "compressed.h5") == sha256_of(tmp_path / "two" / "compressed.h5")
    assert without_times(reports[0]) == without_times(reports[1])


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_stopped_run_resumes_to_the_same_bits(
    checkpoint: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    recipe = recipe_for(checkpoint, tmp_path)
    logged = Phase.after_step

    def stop_at(self: Phase, trainer: object, number: int, loss: float) -> None:
        self._stop.asked = number + 1 == step
        logged(self, trainer, number, loss)

    monkeypatch.setattr(Phase, "after_step", stop_at)
    stops = 0
    while True:
        try:
            pipeline.run(recipe, tmp_path / "run")
            break
        except StoppedError:
            stops += 1
            assert stops < 10
    assert stops == 3
    assert tensor_hashes(tmp_path / "run") == tensor_hashes(finished)
    assert without_times(read_report(tmp_path / "run")) == without_times(read_report(finished))


def test_the_report_is_rebuilt_from_the_folder(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "run")
    before = read_report(finished)
    shutil.rmtree(tmp_path / "run" / "report")
    build_report(tmp_path / "run", load_recipe(tmp_path / "run" / "recipe.toml"))
    assert read_report(tmp_path / "run") == before


def test_another_recipe_in_the_same_folder_is_refused(checkpoint: Path, finished: Path, tmp_path: Path) -> None:
    before = {path: sha256_of(path) for path in finished.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="another recipe"):
        pipeline.run(recipe_for(checkpoint, tmp_path, mode="regrow"), finished)
    assert {path: sha256_of(path) for path in finished.rglob("*") if path.is_file()} == before
