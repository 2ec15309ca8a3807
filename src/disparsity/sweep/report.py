"""Report of a sweep: a table of its trials, a figure of the Pareto front, and both as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from disparsity.base.atomic_io import write_bytes, write_json, write_text
from disparsity.recipe.sweep import SweepSettings
from disparsity.report.figures.rendering import png_bytes, svg_bytes

SCHEMA, VERSION = "disparsity.sweep", 1
UNITS = {"epe": "EPE, px", "d1": "D1, %", "bad3": "bad-3, %", "bytes": "packed file, bytes", "bops": "BOPs"}
UNITS |= {"energy": "MAC energy, pJ"}


def write_sweep(
    out: Path, settings: SweepSettings, trials: Sequence[Mapping[str, Any]], failed: Mapping[int, str]
) -> str:
    """Write `sweep.json`, `sweep.md` and `front.png`/`.svg`; returns the table."""
    failures = [{"number": number, "reason": reason} for number, reason in sorted(failed.items())]
    document = {"schema": SCHEMA, "version": VERSION, "error": settings.error, "cost": settings.cost}
    write_json(out / "sweep.json", document | {"trials": list(trials), "failed": failures})
    text = table(settings, trials, failed)
    write_text(out / "sweep.md", text + "\n")
    figure = draw(settings, trials)
    write_bytes(out / "front.png", png_bytes(figure))
    write_bytes(out / "front.svg", svg_bytes(figure))
    return text


def table(settings: SweepSettings, rows: Sequence[Mapping[str, Any]], failed: Mapping[int, str]) -> str:
    """Markdown: every trial by rising cost, those on the Pareto front with a star."""
    keys = list(settings.parameters)
    head = ["front", "trial", UNITS[settings.error], UNITS[settings.cost], *keys]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in sorted(rows, key=lambda row: (row["cost"], row["error"])):
        cells = ["*" if row["on_front"] else "", f"{row['number']:04d}", f"{row['error']:.3f}", f"{row['cost']:,.0f}"]
        lines.append(f"| {' | '.join([*cells, *(_short(row['settings'][key]) for key in keys)])} |")
    lines += [f"\ntrial {number:04d} could not be run: {reason}" for number, reason in sorted(failed.items())]
    return "\n".join(lines)


def draw(settings: SweepSettings, rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Error over cost: every trial, and the Pareto front with the numbers of its trials."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.scatter([row["cost"] for row in rows], [row["error"] for row in rows], color="0.7", s=16, label="trials")
    best = sorted((row for row in rows if row["on_front"]), key=lambda row: row["cost"])
    axes.step(
        [row["cost"] for row in best], [row["error"] for row in best], where="post", marker="o", label="Pareto front"
    )
    for row in best:
        axes.annotate(f"{row['number']:04d}", (row["cost"], row["error"]), xytext=(4, 4), textcoords="offset points")
    axes.set_xlabel(UNITS[settings.cost])
    axes.set_ylabel(UNITS[settings.error])
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
