"""Scoring pass of a stage: which batches it takes, and that the network answers views of ones."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from disparsity.base.signals import StopRequest
from disparsity.finetune.objective import Objective
from disparsity.finetune.settings import TrainSettings
from disparsity.pruning.masks import attach_masks
from disparsity.pruning.prunable import prunable_layers
from disparsity.recipe.plan import single_stage
from disparsity.recipe.recipe import load_recipe
from disparsity.run.context import StageContext, open_context
from disparsity.run.stages.score_pass import _ones_response, score_pass
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network


@pytest.fixture
def stage(write_recipe: Callable[..., Path], tmp_path: Path) -> StageContext:
    recipe = load_recipe(write_recipe(tmp_path), ["prune.score=taylor_pass", "prune.score.batches=1"])
    return open_context(recipe, tmp_path / "run", StopRequest()).stage(single_stage(recipe, "prune"))


def test_taylor_scores_are_those_of_the_scoring_batch(stage: StageContext) -> None:
    network, section = copy.deepcopy(stage.run.dense), stage.recipe.prune
    assert section is not None
    layers = prunable_layers(network, network.spec.protected)
    attach_masks(network, layers)
    objective = Objective(settings=TrainSettings(steps=0))
    scores = score_pass(stage, section, network, layers, objective, None)
    assert scores is not None
    found = scores(1)
    network.zero_grad()
    objective(network.eval(), stage.run.stream.next_batch(104_729)).backward()
    for name, layer in layers.items():
        weight = layer.parametrizations.weight.original
        assert torch.allclose(found[name], (weight * weight.grad).square(), rtol=1e-4, atol=1e-12), name


class Weighted(StereoNetwork):
    """One map: the sum of a channel of the left and two of the right view."""

    def estimate(self, left: torch.Tensor, right: torch.Tensor) -> tuple[torch.Tensor, ...]:
        assert left.dtype == torch.float64
        return (left[:, 0] + right[:, :2].sum(dim=1),)


def test_the_response_to_ones_is_the_sum_of_all_maps_of_a_padded_size() -> None:
    network = Weighted(replace(build_network("reference").spec, divisor=16))
    assert float(_ones_response(network, torch.zeros(2, 3, 30, 61))) == 3 * 32 * 64
