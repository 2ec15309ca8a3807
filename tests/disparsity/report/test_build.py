"""Reports from a run's folder: the figures are those of the folder's own files."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.checkpoint.packed import pack_network
from disparsity.checkpoint.restore import open_network
from disparsity.hwcost.codec.packing import pack
from disparsity.recipe.input_size import report_size
from disparsity.recipe.sections import ReportSection
from disparsity.report.build import build_report, finished_stages, kept_weights
from disparsity.run.folder import stored_recipe


@pytest.fixture(scope="module")
def report(finished: Path) -> dict:
    return json.loads((finished / "report" / "report.json").read_text())


def test_accuracy_is_what_was_evaluated(finished: Path, report: dict) -> None:
    stored = [json.loads((finished / "evaluation" / f"{stage}.json").read_text()) for stage in
              ("dense", "pruned", "quantized")]  # fmt: skip
    assert report["accuracy"] == [row for content in stored for row in content["rows"]]


def test_bytes_are_those_of_files(finished: Path, report: dict) -> None:
    pruned = len(pack(pack_network(open_network(str(finished / "stages" / "02-finetune"), None))))
    memory = report["memory"]
    packed = (finished / "compressed.h5").stat().st_size
    assert memory["packed_file_bytes"] == packed
    assert memory["stage_bytes"] == {"dense": memory["dense_bytes"], "pruned": pruned, "quantized": packed}
    assert memory["reduction_percent"] == pytest.approx(100 * (1 - packed / memory["dense_bytes"]))


def test_settings_are_the_recipes_slots(report: dict) -> None:
    settings = report["settings"]
    slots = ("score", "scope", "schedule", "pattern", "mode", "quantizer", "allocation", "teacher")
    assert [settings[slot] for slot in slots] == [
        "taylor", "global", "log_density", "element", "frozen", "lsq", "uniform", "dense",
    ]  # fmt: skip
    assert settings["steps"] == {"prune": 4, "finetune": 4, "finetune_quantized": 4}
    assert set(settings["seconds"]) == {
        "01-prune", "02-finetune", "03-quantize", "04-finetune_quantized",
        "evaluate-dense", "evaluate-pruned", "evaluate-quantized",
    }  # fmt: skip


def test_stages_in_order(finished: Path) -> None:
    names = [folder.name for folder in finished_stages(finished)]
    assert names == ["01-prune", "02-finetune", "03-quantize", "04-finetune_quantized"]


def test_the_size_is_the_recipes_or_that_of_the_first_pair(finished: Path) -> None:
    recipe = stored_recipe(finished)
    assert report_size(recipe) == (32, 64)
    assert report_size(replace(recipe, report=ReportSection(size="96x192"))) == (96, 192)
    with pytest.raises(InputError, match=r"report\.size: no input size"):
        report_size(replace(recipe, data=replace(recipe.data, test=())))


def test_a_run_that_went_halfway_is_reported_as_far_as_it_went(finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    for name in ("03-quantize", "04-finetune_quantized"):
        shutil.rmtree(run / "stages" / name)
    (run / "evaluation" / "quantized.json").unlink()
    report = build_report(run, stored_recipe(run))
    assert [row.stage for row in report.accuracy] == ["dense", "pruned"]
    assert report.memory.packed_file_bytes == (run / "compressed.h5").stat().st_size


def test_the_pictures_of_masks_are_those_of_the_last_stage(finished: Path) -> None:
    network = open_network(str(finished / "stages" / "04-finetune_quantized"), None)
    kept = kept_weights(network)
    names = [name for name, module in network.named_modules() if isinstance(module, torch.nn.Conv2d | torch.nn.Conv3d)]
    assert list(kept) == names
    layer = network.get_submodule(names[3])
    assert kept[names[3]].shape == tuple(layer.weight.shape)
    assert int(kept[names[3]].sum()) == int((layer.weight != 0).sum())
    figures = finished / "report" / "figures"
    assert {f"{name}.{kind}" for name in ("channel_maps", "weight_masks") for kind in ("png", "svg")} <= {
        path.name for path in figures.iterdir()
    }


def test_a_transposed_layer_is_drawn_with_its_outputs_down() -> None:
    class Up(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.ConvTranspose2d(5, 2, 3)

    assert kept_weights(Up())["layer"].shape == (2, 5, 3, 3)
