"""The whole pipeline on a tiny network: what it writes, that it repeats itself, that it resumes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from disparsity import pipeline
from disparsity.base.atomic_io import sha256_of
from disparsity.base.errors import StoppedError
from disparsity.base.layers import trained_weight
from disparsity.checkpoint.packed import read_network
from disparsity.checkpoint.restore import open_network
from disparsity.pruning.masks import density, masks_of
from disparsity.recipe.recipe import load_recipe
from disparsity.report.schema import parse_report
from disparsity.run.resumable import ResumableTraining

Writer = Callable[..., Path]


def read_report(run: Path) -> dict:
    return json.loads((run / "report" / "report.json").read_text())


def results(run: Path) -> dict[str, object]:
    """What a report is made of, times aside: tensors by hash, maps by hash, errors."""
    files = [*run.glob("stages/*/checkpoint-*.safetensors"), *run.glob("evaluation/*/*.npy")]
    hashes = {str(path.relative_to(run)): sha256_of(path) for path in files}
    return hashes | {path.name: json.loads(path.read_text())["rows"] for path in run.glob("evaluation/*.json")}


def test_a_run_leaves_what_the_interface_promises(finished: Path) -> None:
    for name in ("recipe.toml", "manifest.json", "compressed.h5", "report/report.html", "report/layers.csv"):
        assert (finished / name).is_file(), name
    stages = [path.parent.name for path in sorted(finished.glob("stages/*/checkpoint.json"))]
    assert stages == ["01-prune", "02-finetune", "03-quantize", "04-finetune_quantized"]
    report = parse_report((finished / "report" / "report.json").read_bytes())
    assert [row.stage for row in report.accuracy] == ["dense", "pruned", "quantized"]


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


@pytest.mark.slow
@pytest.mark.parametrize(("score", "mode"), [("obs", "reconstruct"), ("taylor", "regrow"), ("taylor_pass", "frozen")])
def test_the_same_seed_gives_the_same_bits_in_every_mode(
    write_recipe: Writer, tmp_path: Path, score: str, mode: str
) -> None:
    recipe = load_recipe(write_recipe(tmp_path, score, mode))
    for name in ("one", "two"):
        pipeline.run_single(recipe, tmp_path / name, "prune", None)
    assert len(results(tmp_path / "one")) == 1
    assert results(tmp_path / "one") == results(tmp_path / "two")


def test_the_same_seed_gives_the_same_bits_to_the_end(
    write_recipe: Writer, finished: Path, unreported: None, tmp_path: Path
) -> None:
    pipeline.run(load_recipe(write_recipe(tmp_path)), tmp_path / "run")
    assert len(results(finished)) == 4 + 3 + 3
    assert results(tmp_path / "run") == results(finished)


@pytest.mark.parametrize("step", [2, *(pytest.param(step, marks=pytest.mark.slow) for step in (1, 3))])
def test_a_stopped_run_resumes_to_the_same_bits(
    write_recipe: Writer, finished: Path, unreported: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    recipe = load_recipe(write_recipe(tmp_path))
    logged = ResumableTraining.after_step

    def stop_at(self: ResumableTraining, trainer: object, number: int, loss: float) -> None:
        self._stop.asked = number + 1 == step
        logged(self, trainer, number, loss)

    monkeypatch.setattr(ResumableTraining, "after_step", stop_at)
    stops = 0
    while True:
        try:
            pipeline.run(recipe, tmp_path / "run")
            break
        except StoppedError:
            stops += 1
            assert stops < 10
    assert stops == 3
    assert results(tmp_path / "run") == results(finished)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["alternating", "soft", "rigl"])
def test_every_other_mode_reaches_the_sparsity(write_recipe: Writer, tmp_path: Path, mode: str) -> None:
    folder = pipeline.run_single(load_recipe(write_recipe(tmp_path, mode=mode)), tmp_path / "run", "prune", None)
    network = open_network(str(folder), None)
    masks = masks_of(network)
    assert density(masks) == pytest.approx(0.2, abs=1e-3)
    for name, mask in masks.items():
        assert not bool(trained_weight(network.get_submodule(name))[~mask].any())


def test_teachers_and_losses_without_labels(write_recipe: Writer, tmp_path: Path) -> None:
    key = "prune.train"
    changes = [f"{key}.supervised_weight=0.0", f"{key}.photometric.weight=1.0", f"{key}.teacher=in_network"]
    changes += [f"{key}.teacher.maps=all", f"{key}.psgd.strength=1.0"]
    hashes = []
    for occlusion in ("network", "teacher"):
        recipe = load_recipe(write_recipe(tmp_path), [*changes, f"{key}.photometric.occlusion={occlusion}"])
        hashes.append(results(pipeline.run_single(recipe, tmp_path / occlusion, "prune", None).parents[1]))
    assert len(hashes[0]) == 1
    assert hashes[0] != hashes[1]
