"""Scores side by side on classification, through the same stage one: ResNet-20 on scikit-learn's digits, or CIFAR-10.

    python benchmarks/classification_control.py [--part I/N]
    CIFAR10=FOLDER python benchmarks/classification_control.py --data cifar10

CIFAR-10's files a user must have: cifar-10-binary.tar.gz, unpacked to FOLDER. The dense networks, one per seed, are
kept in build/classification_control.
"""

from __future__ import annotations

import argparse
import functools
import os
import statistics
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from classification.control import compressed, trained
from classification.data import ImageSet, open_images
from classification.recipe import RECIPES, ControlRecipe
from harness.benchmark import Benchmark, main
from harness.figures import lines
from harness.rows import Case, Row, of
from harness.tables import NOT_RUN, Table, pivot
from matplotlib.figure import Figure

BUILD = Path(__file__).parents[1] / "build/classification_control"
HIGH = 0.98


def cases(recipe: ControlRecipe) -> Iterator[Case]:
    """All runs, seed by seed."""
    for seed, sparsity, score in product(recipe.seeds, recipe.sparsities, recipe.scores):
        yield {"score": score, "sparsity": sparsity, "seed": seed}


@functools.cache
def images(name: str) -> ImageSet:
    folder = os.environ.get("CIFAR10")
    return open_images(name, Path(folder) if folder else None)


def measure(recipe: ControlRecipe, case: Case) -> dict[str, Any]:
    data, kept = images(recipe.data), BUILD / recipe.data
    kept.mkdir(parents=True, exist_ok=True)
    return compressed(recipe, data, case, trained(recipe, data, case["seed"], kept))


def tables(rows: list[Row]) -> Iterator[Table]:
    """Right answers on the test images in percent, and Taylor against every other score."""
    yield pivot("accuracy", rows, ("score",), "sparsity", "accuracy_percent", 1)
    others = [name for name in dict.fromkeys(row["case"]["score"] for row in rows) if name != "taylor"]
    found = [(name, _counts(leads(rows, name, 0.0)), _counts(leads(rows, name, HIGH))) for name in others]
    yield Table("taylor ahead, points", ("of", "all sparsities", f"from {HIGH:.0%} on"), found)


def leads(rows: list[Row], other: str, least: float) -> list[float]:
    """Percentage points by which Taylor is ahead, of all pairs of runs (same seed and sparsity) from a sparsity on."""
    found = []
    for row in of(rows, score="taylor"):
        if row["case"]["sparsity"] >= least:
            theirs = of(rows, **{**row["case"], "score": other})
            found += [row["found"]["accuracy_percent"] - one["found"]["accuracy_percent"] for one in theirs]
    return found


def _counts(values: list[float]) -> str:
    if not values:
        return NOT_RUN
    wins, losses = sum(value > 0 for value in values), sum(value < 0 for value in values)
    return f"{statistics.mean(values):+.2f}, better in {wins} and worse in {losses} of {len(values)}"


def figure(rows: list[Row]) -> Figure:
    return lines(rows, "sparsity", "accuracy_percent", "score")


def benchmark(recipe: ControlRecipe) -> Benchmark:
    """The grid of one image set."""
    return Benchmark(
        name="classification_control" + ("" if recipe.data == "digits" else f"_{recipe.data}"),
        question="Which score is best at equal steps where the network and the task are others",
        cases=functools.partial(cases, recipe),
        measure=functools.partial(measure, recipe),
        tables=tables,
        figure=figure,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--data", default="digits", choices=RECIPES)
    own, rest = parser.parse_known_args()
    main(benchmark(RECIPES[own.data]), rest)
