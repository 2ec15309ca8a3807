"""Training curves of all stages of a run, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from disparsity.report.figures.chart_style import BLUE, GREEN, GREY, LINE, RED, clean, new_figure, note

Rows = Sequence[Mapping[str, Any]]

_CURVES = {"loss": ("loss", BLUE, 1.0), "epe_px": ("EPE [px]", RED, 1.0), "sparsity": ("sparsity [%]", GREEN, 100.0)}
_WIDE_RANGE = 10.0


def training_curves(history: Rows) -> Figure | None:
    """Loss, EPE and sparsity over the steps of all stages; rows as metrics.jsonl has them, with their stage."""
    shown = [name for name in _CURVES if any(row.get(name) is not None for row in history)]
    if not shown:
        return None
    figure = new_figure(0.6 + 1.4 * len(shown))
    axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    steps, starts = running_steps(history)
    for name, ax in zip(shown, axes, strict=True):
        _curve(ax, name, steps, history)
        for start, _ in starts[1:]:
            ax.axvline(start, color=GREY, linewidth=0.8, linestyle=":")
    _name_stages(axes[0], starts)
    axes[-1].set_xlabel("step, all stages in a row")
    figure.align_ylabels()
    return figure


def running_steps(history: Rows) -> tuple[list[int], list[tuple[int, str]]]:
    """The steps counted through all stages, and where each stage starts."""
    steps: list[int] = []
    starts = []
    for stage, rows in groupby(history, key=lambda row: str(row.get("stage", ""))):
        offset = steps[-1] if steps else 0
        starts.append((offset, stage))
        steps.extend(offset + int(row["step"]) for row in rows)
    return steps, starts


def _curve(ax: Axes, name: str, steps: Sequence[int], history: Rows) -> None:
    label, colour, scale = _CURVES[name]
    points = [(x, scale * row[name]) for x, row in zip(steps, history, strict=True) if row.get(name) is not None]
    values = [y for _, y in points]
    marker = "o" if name == "epe_px" else None
    ax.plot([x for x, _ in points], values, color=colour, marker=marker, markersize=3, linewidth=1.2)
    ax.set_ylabel(label)
    ax.grid(axis="y", color=LINE, linewidth=0.8)
    if name == "loss" and min(values) > 0 and max(values) > _WIDE_RANGE * min(values):
        ax.set_yscale("log")
    if name == "sparsity":
        ax.set_ylim(-3, 103)
    clean(ax)


def _name_stages(ax: Axes, starts: Sequence[tuple[int, str]]) -> None:
    """Names beside the stages' first lines, turned so that short stages do not overlap."""
    for start, stage in starts:
        turned = {"rotation": 12, "rotation_mode": "anchor", "ha": "left", "va": "bottom"}
        note(ax, stage, (start, 1.0), (0, 2), xycoords=("data", "axes fraction"), color=GREY, **turned)
