"""List of stages: what each leaves in a network, what each starts from, and that a finished one is not taken again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from disparsity import pipeline
from disparsity.base.signals import StopRequest
from disparsity.checkpoint.restore import open_network, stage_of
from disparsity.recipe import stages
from disparsity.recipe.plan import single_stage
from disparsity.recipe.recipe import Recipe, load_recipe
from disparsity.run.context import RunContext, open_context
from disparsity.run.stages.registry import STAGES, run_stage


@pytest.fixture
def recipe(write_recipe: Callable[..., Path], tmp_path: Path) -> Recipe:
    return load_recipe(write_recipe(tmp_path))


@pytest.fixture
def context(recipe: Recipe, tmp_path: Path) -> RunContext:
    pipeline.prepare(recipe)
    return open_context(recipe, tmp_path / "run", StopRequest())


def test_every_kind_of_stage_has_one_object() -> None:
    assert {name: stage.kind for name, stage in STAGES.items()} == stages.STAGES
    assert list(STAGES) == list(stages.STAGES)


def test_a_run_goes_from_dense_to_pruned_to_quantized(checkpoint: Path, finished: Path) -> None:
    folders = [checkpoint, *sorted((finished / "stages").iterdir())]
    found = [stage_of(open_network(str(folder), None)) for folder in folders]
    assert found == ["dense", "pruned", "pruned", "quantized", "quantized"]


def test_a_stage_leaves_its_start_alone_and_is_done_once(context: RunContext) -> None:
    before = {name: tensor.clone() for name, tensor in context.dense.state_dict().items()}
    stage = single_stage(context.recipe, "prune")
    pruned = run_stage(context, stage, context.dense)
    after = context.dense.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
    again = run_stage(context, stage, context.dense)
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in pruned.state_dict().items())
    assert sorted(path.name for path in (context.folder / "stages").iterdir()) == ["01-prune"]


def test_one_stage_goes_on_from_the_stage_before(finished: Path, recipe: Recipe, tmp_path: Path) -> None:
    for name in ("prune", "finetune"):
        folder = pipeline.run_single(recipe, tmp_path / "run", name, None)
    other = open_network(str(finished / "stages" / folder.name), None).state_dict()
    for name, tensor in open_network(str(folder), None).state_dict().items():
        assert torch.equal(tensor, other[name]), name
    assert (folder / "accuracy.json").is_file()
