"""What the runs of the grid say: a CSV of runs, tables of means and ranges, and a plot."""

from __future__ import annotations

import csv
import json
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from provenance import provenance

from disparsity.base.atomic_io import write_text
from disparsity.checkpoint.restore import open_network
from screening.cases import (
    BATCH,
    CONTROL,
    CONTROL_STEPS,
    CROP,
    FINALISTS,
    GROUPS,
    PRUNE_STEPS,
    RATE,
    SCREEN,
    SPARSITIES,
    TUNE_STEPS,
    Case,
    recipe_of,
)
from screening.measure import scored

RESULTS = Path(__file__).parents[1] / "results"
COMMITS = (
    "Finals at 97 and 98.5 % and the screening's first runs were made at 16108f5, the others from 3bd01d6 on, since "
    "when a step draws other pairs; each on one thread beside other work. One seed tells nothing below 0.15 px. "
    '"not run" was not reached; the commands resume.'
)
"""Of the results that are in the repository."""

Row = dict[str, Any]


def write_results(out: Path) -> None:
    """Collect the results below `out` into `results/stage_one.{csv,md,png,svg}`."""
    rows = [json.loads(path.read_text()) for path in sorted(out.glob("*.json"))]
    recipe = recipe_of(Case(group="default", variant="default", sparsity=0.97, seed=0))
    dense = scored(open_network(recipe.network.checkpoint, recipe.network.name), recipe)["epe_px"]
    with (RESULTS / "stage_one.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    names = [*FINALISTS, CONTROL]
    lines = [
        *_introduction(dense),
        *_finals_table(rows, names, dense),
        *_lead_table(rows, names),
        *_screening_table(rows),
    ]
    lines += [COMMITS, ""]
    lines += provenance("python benchmarks/stage_one.py screen --out DIR; ... finals --out DIR; ... table --out DIR")
    write_text(RESULTS / "stage_one.md", "\n".join(lines) + "\n")
    for suffix in ("png", "svg"):
        draw(rows, names, dense).savefig(RESULTS / f"stage_one.{suffix}", dpi=120)


def _introduction(dense: float) -> list[str]:
    return [
        "# Stage one: scores, scopes, schedules, modes and teachers",
        "",
        f"Built-in reference network (dense EPE {dense:.3f} px), {PRUNE_STEPS} pruning and {TUNE_STEPS} fine-tuning "
        f"steps of {BATCH} crops {CROP}, Adam {RATE:g}, 60 unseen scenes of 96x192. The default: Taylor score "
        "`mean_sq` as a running average, mode `frozen`, scope `global`, floor 0.2 % per layer, 8 events uniform "
        f"in log density from 50 % sparsity on, no teacher. The control `{CONTROL}` is trained from nothing for "
        f"{CONTROL_STEPS} steps.",
        "",
    ]


def _finals_table(rows: list[Row], names: list[str], dense: float) -> list[str]:
    lines = [
        "## Finalists: EPE in px, mean (smallest to largest of n seeds)",
        "",
        "| | " + " | ".join(f"{100 * sparsity:g} %" for sparsity in SPARSITIES) + " |",
        "|---|" + "---|" * len(SPARSITIES),
        "| dense | " + " | ".join(f"{dense:.3f}" for _ in SPARSITIES) + " |",
    ]
    for name in names:
        cells = [_cell(_chosen(rows, "final", name, sparsity)) for sparsity in SPARSITIES]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    sizes = [_mean(_chosen(rows, "final", "default", sparsity), "bytes", 1000) for sparsity in SPARSITIES]
    return [*lines, "| packed file of the default, kB (float32) | " + " | ".join(sizes) + " |", ""]


def _lead_table(rows: list[Row], names: list[str]) -> list[str]:
    """How far the default is ahead of the others, run against run of the same seed."""
    lines = [
        "## By how many px the default is better, mean (pairs of runs with one seed in which it is)",
        "",
        "| than | " + " | ".join(f"{100 * sparsity:g} %" for sparsity in SPARSITIES) + " |",
        "|---|" + "---|" * len(SPARSITIES),
    ]
    for name in names[1:]:
        cells = [_lead_cell(leads(rows, name, sparsity)) for sparsity in SPARSITIES]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def leads(rows: list[Row], other: str, sparsity: float) -> list[float]:
    """EPE of another finalist minus that of the default, by seed."""
    ours, theirs = (
        {row["seed"]: row["epe_px"] for row in _chosen(rows, "final", name, sparsity)} for name in ("default", other)
    )
    return [theirs[seed] - ours[seed] for seed in sorted(ours.keys() & theirs.keys())]


def _lead_cell(values: list[float]) -> str:
    if not values:
        return "not run"
    return f"{statistics.mean(values):+.3f} ({sum(value > 0 for value in values)} of {len(values)})"


def _screening_table(rows: list[Row]) -> list[str]:
    head = [f"EPE at {100 * sparsity:g} %" for sparsity in SCREEN] + [f"MACs % at {100 * s:g} %" for s in SCREEN]
    lines = [
        "## Screening: one seed; one slot differs from the default",
        "",
        "| slot | variant | " + " | ".join(head) + " |",
        "|---|---|" + "---|" * len(head),
    ]
    for group, variants in GROUPS.items():
        for variant in variants:
            found = [_chosen(rows, group, variant, sparsity) for sparsity in SCREEN]
            cells = [_mean(few, "epe_px") for few in found] + [_mean(few, "macs_percent") for few in found]
            lines.append(f"| {group} | {variant} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _chosen(rows: list[Row], group: str, variant: str, sparsity: float) -> list[Row]:
    return [row for row in rows if (row["group"], row["variant"], row["sparsity"]) == (group, variant, sparsity)]


def _cell(rows: list[Row]) -> str:
    if not rows:
        return "not run"
    values = [row["epe_px"] for row in rows]
    return f"{statistics.mean(values):.3f} ({min(values):.3f} to {max(values):.3f}, n={len(values)})"


def _mean(rows: list[Row], key: str, unit: float = 1.0) -> str:
    return f"{statistics.mean(row[key] for row in rows) / unit:.3f}" if rows else "not run"


def draw(rows: list[Row], names: list[str], dense: float) -> Figure:
    """EPE over sparsity, one line per finalist with the range of its seeds."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for name in names:
        points: Mapping[float, list[float]] = {
            1 - sparsity: [row["epe_px"] for row in _chosen(rows, "final", name, sparsity)] for sparsity in SPARSITIES
        }
        kept = [density for density, values in points.items() if values]
        means = [statistics.mean(points[density]) for density in kept]
        (line,) = axes.plot(kept, means, marker="o", markersize=4, label=name)
        lows, highs = [min(points[d]) for d in kept], [max(points[d]) for d in kept]
        axes.fill_between(kept, lows, highs, color=line.get_color(), alpha=0.2, linewidth=0)
    axes.axhline(dense, color="black", linestyle="--", linewidth=1, label="dense reference")
    axes.set_xscale("log")
    axes.invert_xaxis()
    axes.set_xticks([1 - sparsity for sparsity in SPARSITIES], [f"{100 * s:g} %" for s in SPARSITIES])
    axes.minorticks_off()
    axes.set_xlabel("sparsity")
    axes.set_ylabel("EPE on unseen scenes, px")
    axes.legend(fontsize=8)
    return figure
