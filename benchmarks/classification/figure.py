"""Wrong answers against weights kept, one line per score."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import matplotlib as mpl

from classification.recipe import ControlRecipe
from disparsity.base.atomic_io import write_atomic

mpl.use("Agg")
from matplotlib import pyplot as plt

COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#666666")
MARKERS = "os^Dv"


def draw(rows: list[dict[str, Any]], dense: list[dict[str, Any]], recipe: ControlRecipe, path: Path) -> None:
    """Means and ranges over seeds."""
    figure, axes = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    for score, colour, marker in zip(recipe.scores, COLOURS, MARKERS, strict=False):
        every = [(s, _wrong([r for r in rows if (r["score"], r["sparsity"]) == (score, s)])) for s in recipe.sparsities]
        points = [(sparsity, wrong) for sparsity, wrong in every if wrong]
        middle = [statistics.mean(wrong) for _, wrong in points]
        below = [m - min(wrong) for m, (_, wrong) in zip(middle, points, strict=True)]
        above = [max(wrong) - m for m, (_, wrong) in zip(middle, points, strict=True)]
        kept = [100 * (1 - sparsity) for sparsity, _ in points]
        axes.errorbar(kept, middle, [below, above], color=colour, marker=marker, capsize=3, lw=1.4, ms=5, label=score)
    axes.axhline(statistics.mean(_wrong(dense)), color="black", lw=1, ls=":", label="dense")
    axes.set(xscale="log", yscale="log", xlabel="weights kept, %", ylabel="wrong answers on test images, %")
    ticks = [100 * (1 - sparsity) for sparsity in recipe.sparsities]
    axes.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
    axes.set_yticks([1, 2, 5, 10, 20, 50, 90], ["1", "2", "5", "10", "20", "50", "90"])
    axes.minorticks_off()
    axes.invert_xaxis()
    seeds = len({row["seed"] for row in rows})
    axes.set_title(f"ResNet-20, {recipe.data}: mean and range of {seeds} seed(s)", fontsize=10)
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    axes.grid(alpha=0.25)
    write_atomic(path, lambda temporary: figure.savefig(temporary, dpi=150, format="png"))
    plt.close(figure)


def _wrong(rows: list[dict[str, Any]]) -> list[float]:
    # a network without a mistake has no place on a logarithmic axis: half a mistake in a thousand answers
    return [max(100 - row["accuracy_percent"], 0.05) for row in rows]
