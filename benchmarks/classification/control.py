"""One run of the control: a trained network, pruned by the package's stage one at equal steps whatever the score."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any, get_args

import torch
from harness.rows import Case
from safetensors.torch import load_file, save_file
from torch import nn

from classification.data import ImageSet
from classification.loop import Loop, scored
from classification.recipe import ControlRecipe
from classification.resnet20 import ResNet20, seeded_resnet20
from disparsity.base.atomic_io import write_atomic, write_json
from disparsity.base.choice import members
from disparsity.base.layers import trained_weight
from disparsity.base.settings_errors import fields_of
from disparsity.finetune.modes.frozen import Frozen
from disparsity.finetune.sparsify import Sparsify
from disparsity.pruning.masks import attach_masks, masks_of
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.scores.registry import SCORES
from disparsity.pruning.scores.score import ScorePass, ScoringContext
from disparsity.pruning.scores.settings import ScoreSettings
from disparsity.pruning.settings import LogDensitySettings, PruneSettings

_SCORE_SALT, _STAGE_SALT = 104_729, 1_000_000


def trained(recipe: ControlRecipe, data: ImageSet, seed: int, out: Path) -> ResNet20:
    """The dense network of a seed: trained once, kept in `out`, with its accuracy beside it."""
    path = out / f"dense-{seed}.safetensors"
    network = seeded_resnet20(data.images.shape[1], data.classes, seed)
    if path.is_file():
        network.load_state_dict(load_file(path))
        return network
    started = time.process_time()
    loop = Loop(network, data, recipe, seed)
    loop.run(recipe.dense_steps, recipe.dense_rate, falling=True)
    loop.settle()
    seconds = time.process_time() - started
    write_json(out / f"dense-{seed}.json", {"seed": seed, **scored(network, data), "processor_s": seconds})
    write_atomic(path, lambda temporary: save_file(network.state_dict(), temporary))
    return network


def compressed(recipe: ControlRecipe, data: ImageSet, case: Case, dense: nn.Module) -> dict[str, Any]:
    """Prune and fine-tune a copy of the dense network; what the grid keeps of it."""
    started = time.process_time()
    network = copy.deepcopy(dense)
    layers = prunable_layers(network)
    attach_masks(network, layers)
    loop = Loop(network, data, recipe, case["seed"])
    loop.step = _STAGE_SALT
    settings = prune_settings(recipe, case)
    score = _score_pass(settings, case, loop, layers, data)
    hook = Sparsify(layers, settings, recipe.prune_steps, Frozen(), dict.fromkeys(layers, 1.0), score)
    loop.run(recipe.prune_steps, recipe.rate, falling=False, hooks=[hook])
    loop.run(recipe.tune_steps, recipe.rate, falling=True)
    loop.settle()
    kept = {name: int(torch.count_nonzero(mask)) for name, mask in masks_of(network).items()}
    live = sum(int(torch.count_nonzero(network.get_submodule(name).weight)) for name in kept)  # type: ignore[arg-type]
    assert live <= sum(kept.values()), "a pruned weight is not zero"
    seconds = time.process_time() - started
    return {**scored(network, data), "kept": sum(kept.values()), "processor_s": seconds}


def prune_settings(recipe: ControlRecipe, case: Case) -> PruneSettings:
    """Stage one's settings: all layers compete, the first and the last too."""
    return PruneSettings(
        sparsity=case["sparsity"],
        score=_score(recipe, case),
        events=recipe.events,
        schedule=LogDensitySettings(first_sparsity=recipe.first_sparsity),
    )


def _score(recipe: ControlRecipe, case: Case) -> Any:
    """The score's settings, with the recipe's number of batches or samples where it takes a pass."""
    kind = next(kind for kind in members(get_args(ScoreSettings)[0]) if kind.name == case["score"])
    return kind(**{key: recipe.score_batches for key in ("batches", "samples") if key in fields_of(kind)})


def _score_pass(
    settings: PruneSettings, case: Case, loop: Loop, layers: dict[str, nn.Module], data: ImageSet
) -> ScorePass | None:
    if settings.score.from_steps:
        return None
    return SCORES[
        settings.score.name
    ](
        ScoringContext(
            network=loop.network,
            layers=layers,
            batch_loss=lambda index: loop.loss(_SCORE_SALT + index),
            sample_loss=lambda index: loop.loss(_SCORE_SALT + index, 1),
            rounded=trained_weight,  # nothing is quantized here
            ones_response=lambda network: network(torch.ones(1, *data.images.shape[1:], dtype=torch.float64)).sum(),
            saliencies=None,
            seed=case["seed"],
        ),
        settings.score,
    )
