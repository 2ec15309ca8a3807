"""One run of the grid: its stages, its error on unseen pairs, and how far it moves the disparity."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from painted import context_of

from disparsity.checkpoint.packed import pack_network
from disparsity.checkpoint.restore import open_network
from disparsity.datasets.batches.cache import CachedDataset, SampleCache
from disparsity.datasets.uri import open_data
from disparsity.evaluation.evaluation import Evaluated, evaluate
from disparsity.finetune.channels_last import use_channels_last
from disparsity.hwcost.codec.packing import pack
from disparsity.pipeline import prepare
from disparsity.recipe.plan import planned_stages
from disparsity.recipe.recipe import Recipe
from disparsity.recipe.stages import STAGES
from disparsity.run.folder import stage_folder
from disparsity.run.stages.registry import run_stage
from disparsity.stereo.network import StereoNetwork
from quantizing.cases import Case, stage_one

PRUNED = "pruned"


def measured(case: Case, out: Path) -> dict[str, Any]:
    """The facts of one case; `out` holds the pruned network."""
    if case.start == PRUNED:
        make_pruned(out)
    prepare(case.recipe)
    start = starting_network(case, out)
    began = time.process_time()
    network = treated(case.recipe, start, out / case.name)
    seconds = time.process_time() - began
    found, before = scored(network, case.recipe), float_maps(case.start, case.recipe, start)
    change = [np.square(a.astype(float) - b).mean() for a, b in zip(found.maps, before, strict=True)]
    return {
        "epe_px": found.row["epe_px"],
        "d1_percent": found.row["d1_percent"],
        "bytes": len(pack(pack_network(network))),
        "change_px2": float(np.mean(change)),
        "scene_epe_px": scene_errors(found.maps, case.recipe),
        "processor_s": round(seconds, 1),
    }


@functools.cache
def make_pruned(out: Path) -> None:
    """The pruned network, unless it is there."""
    recipe = stage_one()
    prepare(recipe)
    treated(recipe, open_network(recipe.network.checkpoint, recipe.network.name), out / PRUNED)


def starting_network(case: Case, out: Path) -> StereoNetwork:
    """The network that a case begins with, in eval mode."""
    section = case.recipe.network
    source = str(stage_folder(out / PRUNED, 2, "finetune")) if case.start == PRUNED else section.checkpoint
    return use_channels_last(open_network(source, None if case.start == PRUNED else section.name)).eval()


def treated(recipe: Recipe, network: StereoNetwork, folder: Path) -> StereoNetwork:
    """The network after all stages that the recipe has."""
    if all(getattr(recipe, stage.name) is None for stage in STAGES.values() if stage.compresses):
        return network
    context = context_of(recipe, folder)
    for stage in planned_stages(recipe):
        network = run_stage(context, stage, network)
    return network


def scored(network: StereoNetwork, recipe: Recipe) -> Evaluated:
    """The network on the recipe's test pairs, with all maps."""
    uri, data = recipe.data.test[0], test_pairs(recipe.data.test[0])
    return evaluate(network, data, uri=uri, stage="", mask_disparity=recipe.data.mask_disparity, keep=len(data))


def scene_errors(maps: tuple[NDArray[np.float32], ...], recipe: Recipe) -> list[float]:
    """The EPE of every pair by itself."""
    errors = []
    for found, pair in zip(maps, test_pairs(recipe.data.test[0]), strict=True):
        truth, known = pair.disparity.numpy(), pair.valid.numpy() & (pair.disparity.numpy() > 0)
        known &= truth < (recipe.data.mask_disparity or np.inf)
        errors.append(float(np.abs(found - truth)[known].mean(dtype=float)))
    return errors


@functools.cache
def test_pairs(uri: str) -> CachedDataset:
    """The pairs, decoded once."""
    return CachedDataset(open_data(uri), SampleCache(2**28))


_MAPS: dict[str, tuple[NDArray[np.float32], ...]] = {}


def float_maps(start: str, recipe: Recipe, network: StereoNetwork) -> tuple[NDArray[np.float32], ...]:
    """The maps of a starting network, computed once."""
    if start not in _MAPS:
        _MAPS[start] = scored(network, recipe).maps
    return _MAPS[start]
