"""Fine-tuning with and without ground truth, from the same pruned network, on real pairs: AnyNet on KITTI 2015.

    DISPARSITY_DATA=... python benchmarks/without_labels.py

The published AnyNet is pruned by `recipes/anynet_kitti2015.toml` (reconstruction on images alone), once, in
build/without_labels, and fine-tuned on the eleven training frames; D1 and EPE are of the two held-out frames.
"""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.benchmark import Benchmark, main
from harness.rows import Case, Row
from harness.tables import Table, listing

import disparsity
from disparsity.api.run import Run
from disparsity.base.atomic_io import write_text
from disparsity.recipe.recipe import Recipe, load_recipe

RECIPES = Path(__file__).parents[1] / "recipes"
BUILD = Path(__file__).parents[1] / "build/without_labels"
STEPS = 300
VARIANTS: dict[str, tuple[str, ...]] = {
    "labels": ("teacher=none",),
    "labels and dense teacher": ("teacher=dense",),
    "dense teacher alone": ("supervised_weight=0.0", "teacher=dense"),
    "photometric alone": ("supervised_weight=0.0", "teacher=none", "photometric.weight=20.0"),
    "photometric and dense teacher": ("supervised_weight=0.0", "teacher=dense", "photometric.weight=20.0"),
}
"""Losses of the fine-tuning."""


def cases() -> Iterator[Case]:
    yield from ({"variant": variant} for variant in ("pruned, no training", *VARIANTS))


def measure(case: Case) -> dict[str, Any]:
    pruned = _pruned()
    if case["variant"] not in VARIANTS:
        return _figures(pruned)
    losses = (f"finetune.{setting}" for setting in VARIANTS[case["variant"]])
    recipe = _recipe(f"finetune.steps={STEPS}", *losses)
    with tempfile.TemporaryDirectory() as folder:
        return _figures(disparsity.run(recipe, Path(folder) / "run", stage="finetune", start=pruned.stages[-1].folder))


@functools.cache
def _pruned() -> Run:
    return disparsity.run(_recipe(), BUILD, stage="prune")


def _recipe(*changes: str) -> Recipe:
    """The recipe, its data where `DISPARSITY_DATA` says."""
    text = (RECIPES / "anynet_kitti2015.toml").read_text(encoding="utf-8")
    text = text.replace("../shared", os.environ["DISPARSITY_DATA"]).replace("recipes/splits", str(RECIPES / "splits"))
    with tempfile.TemporaryDirectory() as folder:
        write_text(Path(folder) / "recipe.toml", text)
        return load_recipe(Path(folder) / "recipe.toml", changes)


def _figures(run: Run) -> dict[str, Any]:
    (row,) = run.stages[-1].accuracy
    return {"epe_px": row["epe_px"], "d1_percent": row["d1_percent"]}


def tables(rows: list[Row]) -> Iterator[Table]:
    yield listing("losses", rows, ("variant",), ("epe_px", "d1_percent"))


BENCHMARK = Benchmark(
    name="without_labels",
    question="What does fine-tuning without ground truth reach",
    cases=cases,
    measure=measure,
    tables=tables,
)

if __name__ == "__main__":
    main(BENCHMARK)
