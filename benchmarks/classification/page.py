"""The control's results as a table of runs, a page and a figure."""

from __future__ import annotations

import csv
import json
import statistics
from pathlib import Path
from typing import Any

from classification.control import cases
from classification.figure import draw
from classification.recipe import ControlRecipe, claim_folder
from disparsity.base.atomic_io import write_text
from disparsity.base.errors import InputError

Rows = list[dict[str, Any]]
SCORE = "taylor"
HIGH = 0.98
MISSING = "not run"


def write_results(recipe: ControlRecipe, out: Path, results: Path, provenance: list[str]) -> str:
    """Write `classification_control.{csv,md,png}` (other data sets add their name), and return the page.

    Raises:
        InputError: `out` holds no result of this recipe.

    """
    claim_folder(out, recipe)
    paths = [out / f"{case.name}.json" for case in cases(recipe)]
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.is_file()]
    if not rows:
        raise InputError("no results of this recipe", where=out, remedy="run first")
    dense = [json.loads((out / f"dense-{seed}.json").read_text()) for seed in sorted({row["seed"] for row in rows})]
    name = "classification_control" + ("" if recipe.data == "digits" else f"_{recipe.data}")
    results.mkdir(parents=True, exist_ok=True)
    with (results / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    draw(rows, dense, recipe, results / f"{name}.png")
    text = "\n".join([*page(recipe, rows, dense, f"{name}.png"), "", *provenance]) + "\n"
    write_text(results / f"{name}.md", text)
    return text


def page(recipe: ControlRecipe, rows: Rows, dense: Rows, picture: str) -> list[str]:
    """Markdown of the figures and of what they say."""
    seconds = statistics.median(row["processor_s"] for row in rows)
    return [
        f"# Scores on classification: ResNet-20, {recipe.data}",
        "",
        "The same stage one as for stereo (scores, schedule, global selection, masks, mode `frozen`, BatchNorm "
        "measured anew); only the network and the loop over labelled images are the control's own. "
        "ResNet-20 with shortcuts of "
        "option A; all layers compete, the first and the last too. "
        f"Every run starts from the dense network of its seed ({recipe.dense_steps} steps) and takes the same "
        f"{recipe.prune_steps} steps with {recipe.events} events from {100 * recipe.first_sparsity:g} % on and "
        f"{recipe.tune_steps} steps with frozen masks, batch {recipe.batch}, SGD {recipe.rate:g} with momentum "
        f"{recipe.momentum:g} and weight decay {recipe.weight_decay:g}; SNIP and SynFlow score anew at every event "
        f"(iteratively, and after training, unlike their papers; SNIP on {recipe.score_batches} batches). "
        f"Median {seconds:.0f} s of processor time a run.",
        "",
        f"Right answers on the test images, %: mean and range over seeds. Dense: {_cell(dense)}. "
        f"{len(rows)} of {len(list(cases(recipe)))} runs are there.",
        "",
        "| score | " + " | ".join(f"{100 * sparsity:g} %" for sparsity in recipe.sparsities) + " |",
        "|---|" + "---|" * len(recipe.sparsities),
        *(_line(score, recipe, rows) for score in recipe.scores),
        "",
        f"![Wrong answers against weights kept]({picture})",
        "",
        *(claim(rows, other) for other in recipe.scores if other != SCORE and SCORE in recipe.scores),
    ]


def claim(rows: Rows, other: str) -> str:
    """One sentence: Taylor against another score, run by run (same seed, same sparsity)."""
    every, high = differences(rows, other, 0.0), differences(rows, other, HIGH)
    if not every:
        return f"- Taylor against {other}: {MISSING}."
    beyond = f"; from {100 * HIGH:g} % sparsity on {_counts(high)}" if high else ""
    return f"- Taylor is {_verdict(every)} {other}: {_counts(every)}{beyond}."


def differences(rows: Rows, other: str, least: float) -> list[float]:
    """Percentage points by which Taylor is ahead, of all pairs of runs from a sparsity on."""
    found = {(row["score"], row["sparsity"], row["seed"]): row["accuracy_percent"] for row in rows}
    places = [(sparsity, seed) for score, sparsity, seed in found if score == SCORE and sparsity >= least]
    return [found[SCORE, *place] - found[other, *place] for place in places if (other, *place) in found]


def _counts(values: list[float]) -> str:
    wins, losses = sum(v > 0 for v in values), sum(v < 0 for v in values)
    mean = f"{statistics.mean(values):+.2f} points on average"
    return f"{mean}, better in {wins} and worse in {losses} of {len(values)} pairs of runs"


def _verdict(values: list[float]) -> str:
    wins, losses = sum(v > 0 for v in values), sum(v < 0 for v in values)
    if wins > 2 * losses and statistics.mean(values) > 0:
        return "ahead of"
    return "behind" if losses > 2 * wins and statistics.mean(values) < 0 else "not clearly different from"


def _line(score: str, recipe: ControlRecipe, rows: Rows) -> str:
    cells = [_cell([r for r in rows if (r["score"], r["sparsity"]) == (score, s)]) for s in recipe.sparsities]
    return f"| {score} | " + " | ".join(cells) + " |"


def _cell(rows: Rows) -> str:
    if not rows:
        return MISSING
    values = [row["accuracy_percent"] for row in rows]
    return f"{statistics.mean(values):.1f} ({min(values):.1f}..{max(values):.1f}, n={len(values)})"
