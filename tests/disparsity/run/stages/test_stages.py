"""Single stages: what each leaves in a network, and what each starts from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from disparsity import pipeline
from disparsity.base.layers import quantizable_layers
from disparsity.base.signals import StopRequest
from disparsity.checkpoint.restore import open_network, stage_of
from disparsity.pruning.masks import density, masks_of
from disparsity.pruning.prunable import prunable_layers
from disparsity.quant.attach import layer_bits, quantized_layers
from disparsity.recipe.recipe import Recipe, load_recipe
from disparsity.run.context import Context
from disparsity.run.stages.stages import STAGES, bits_of, compressed_layers, run_stage
from disparsity.stereo.networks import build_network

TRAIN = ("synthetic:?pairs=2&size=32x64&seed=1", "synthetic:?pairs=3&size=32x64&seed=2")


@pytest.fixture
def recipe(write_recipe: Callable[..., Path], tmp_path: Path) -> Recipe:
    return load_recipe(write_recipe(tmp_path))


@pytest.fixture
def context(recipe: Recipe, tmp_path: Path) -> Context:
    pipeline.prepare(recipe)
    return Context(run=tmp_path / "run", recipe=recipe, stop=StopRequest())


def test_the_stages_are_sections_of_the_recipe() -> None:
    assert list(STAGES) == ["train", *pipeline.COMPRESSION]
    assert set(STAGES) <= set(Recipe.__dataclass_fields__)


def test_a_run_goes_from_dense_to_pruned_to_quantized(checkpoint: Path, finished: Path) -> None:
    folders = [checkpoint, *sorted((finished / "stages").iterdir())]
    stages = [stage_of(open_network(str(folder), None)) for folder in folders]
    assert stages == ["dense", "pruned", "pruned", "quantized", "quantized"]


def test_masks_stay_after_pruning(finished: Path) -> None:
    first, *others = [masks_of(open_network(str(path), None)) for path in sorted((finished / "stages").iterdir())]
    assert density(first) == pytest.approx(0.2, abs=1e-3)
    for masks in others:
        assert all(torch.equal(masks[name], mask) for name, mask in first.items())


def test_bits_are_those_of_settings_and_spec(quantized: Path, recipe: Recipe) -> None:
    network = open_network(str(quantized), None)
    assert recipe.quantize is not None
    assert {name: layer_bits(network)[name] for name in quantized_layers(network)} == bits_of(network, recipe.quantize)
    for name in network.spec.first:
        assert layer_bits(network)[name].weights == recipe.quantize.first_bits


def test_what_the_spec_excludes_is_neither_pruned_nor_quantized(recipe: Recipe) -> None:
    network = build_network("anynet_spn")
    assert recipe.quantize is not None
    everything = set(quantizable_layers(network))
    excluded = {name for name in everything if name.startswith("refine_spn.")}
    assert len(excluded) == 6
    assert set(bits_of(network, recipe.quantize)) == everything - excluded
    prunable = compressed_layers(network, prunable_layers(network, network.spec.protected))
    assert set(prunable) == everything - excluded - set(network.spec.protected)


def test_a_stage_leaves_its_start_alone_and_is_done_once(context: Context) -> None:
    before = {name: tensor.clone() for name, tensor in context.dense.state_dict().items()}
    pruned = run_stage(context, context.dense, 1, "prune")
    after = context.dense.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
    again = run_stage(context, context.dense, 1, "prune")
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in pruned.state_dict().items())


def test_one_stage_goes_on_from_the_stage_before(finished: Path, recipe: Recipe, tmp_path: Path) -> None:
    for name in ("prune", "finetune"):
        folder = pipeline.run_single(recipe, tmp_path / "run", name, None)
    other = open_network(str(finished / "stages" / folder.name), None).state_dict()
    for name, tensor in open_network(str(folder), None).state_dict().items():
        assert torch.equal(tensor, other[name]), name
    assert (folder / "accuracy.json").is_file()


def test_one_stage_starts_from_a_checkpoint(finished: Path, recipe: Recipe, tmp_path: Path) -> None:
    folder = pipeline.run_single(recipe, tmp_path / "run", "quantize", str(finished / "stages" / "02-finetune"))
    other = open_network(str(finished / "stages" / folder.name), None).state_dict()
    for name, tensor in open_network(str(folder), None).state_dict().items():
        assert torch.equal(tensor, other[name]), name


def test_training_from_fresh_weights(recipe: Recipe, tmp_path: Path) -> None:
    assert recipe.finetune is not None
    only = Recipe(threads=1, network=recipe.network, data=recipe.data,
                  train=replace(recipe.finetune, teacher_weight=0.0))  # fmt: skip
    folder = pipeline.run_single(only, tmp_path / "run", "train", None)
    assert folder.name == "01-train"
    assert stage_of(open_network(str(folder), None)) == "dense"


def test_calibration_pairs_are_the_training_pairs_unless_named(context: Context) -> None:
    ids = set(context.calibration.next_batch(0, 20).ids)
    assert ids <= set(context.stream.next_batch(0, 200).ids)
    data = replace(context.recipe.data, calibration=(TRAIN[1],), calibration_crop="16x32", augment=True)
    other = Context(run=context.run, recipe=replace(context.recipe, data=data), stop=context.stop)
    batch = other.calibration.next_batch(0, 20)
    assert not set(batch.ids) & ids
    assert batch.left.shape[-2:] == (16, 32)
    assert len(set(batch.ids)) == 3
