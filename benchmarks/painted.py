"""Scenes painted once for all runs of a grid: the batches of each run are the same as without, and come sooner."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from disparsity.datasets.batches import TrainingStream
from disparsity.datasets.cached import CachedDataset, SampleCache
from disparsity.datasets.uri import open_data
from disparsity.recipe import Recipe, parse_size
from disparsity.signals import StopRequest
from disparsity.stages import Context

_BYTES = 2**30


def context_of(recipe: Recipe, folder: Path) -> Context:
    """A run in `folder` that draws from scenes which this process keeps."""
    context = Context(run=folder, recipe=recipe, stop=StopRequest())
    data = recipe.data
    crop = parse_size(data.crop, "data.crop") if data.crop else None
    sets = [_painted(uri) for uri in data.train]
    weights = data.weights or (1.0,) * len(sets)
    vars(context)["stream"] = TrainingStream(sets, weights, data.batch, crop, recipe.seed, augment=data.augment)
    return context


@cache
def _painted(uri: str) -> CachedDataset:
    return CachedDataset(open_data(uri), SampleCache(_BYTES), uri)
