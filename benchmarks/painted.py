"""Scenes painted once for all runs of a grid: the batches of each run are the same as without, and come sooner."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from disparsity.base.signals import StopRequest
from disparsity.datasets.batches.cache import CachedDataset, SampleCache
from disparsity.datasets.uri import open_data
from disparsity.recipe.recipe import Recipe
from disparsity.run.context import RunContext, open_context

_BYTES = 2**30


def context_of(recipe: Recipe, folder: Path) -> RunContext:
    """A run in `folder` that draws from scenes which this process keeps."""
    return open_context(recipe, folder, StopRequest(), _painted)


@cache
def _painted(uri: str) -> CachedDataset:
    return CachedDataset(open_data(uri), SampleCache(_BYTES), uri)
