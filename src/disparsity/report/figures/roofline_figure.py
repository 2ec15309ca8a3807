"""The roofline: every call's products per cycle against its products per byte, under the machine's two roofs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from disparsity.report.figures.chart_style import BLUE, GREY, LINE, ORANGE, add_legend, clean, new_figure
from disparsity.report.numbers import capacity_text, exact_text
from disparsity.report.schema import section

Report = Mapping[str, Any]
Points = list[tuple[float, float]]


def roofline(report: Report) -> Figure | None:
    """Dense and compressed calls with weights, log-log; None where no call's traffic is known."""
    machine, roof = section(report, "machine"), section(report, "roofline")
    series = {
        "dense, float32": (points(report, "dense_"), ORANGE, "o"),
        "compressed": (points(report, ""), BLUE, "^"),
    }
    every = [point for found, _, _ in series.values() for point in found]
    if not every or roof["multipliers"] is None or machine["dram_bytes_per_cycle"] is None:
        return None
    figure = new_figure(3.8)
    ax = figure.subplots()
    _roofs(ax, every, roof["multipliers"], machine["dram_bytes_per_cycle"])
    for label, (found, colour, marker) in series.items():
        x, y = [point[0] for point in found], [point[1] for point in found]
        ax.scatter(x, y, s=30, color=colour, marker=marker, alpha=0.6, linewidths=0, label=label)
    ax.set(
        xlabel=f"MACs per byte of DRAM traffic, buffer {capacity_text(machine['buffer_bytes'])} (logarithmic)",
        ylabel="MACs per cycle (logarithmic)",
    )
    clean(ax)
    add_legend(figure, ax)
    return figure


def points(report: Report, prefix: str) -> Points:
    """``(MACs per byte, MACs per cycle)`` of every call with weights whose traffic is known."""
    found = []
    for layer in report["layers"]:
        intensity, cycles = layer.get(f"{prefix}intensity_macs_per_byte"), layer.get(f"{prefix}roofline_cycles")
        if layer.get("weight_count") and intensity and cycles:
            found.append((intensity, layer["dense_macs"] / cycles))
    return found


def _roofs(ax: Any, every: Points, multipliers: int, bytes_per_cycle: float) -> None:
    """Both roofs around the points, and the ridge where they meet."""
    ridge = multipliers / bytes_per_cycle
    low, high = min(ridge, *(x for x, _ in every)) / 2, max(ridge, *(x for x, _ in every)) * 2
    ax.plot([low, ridge, high], [low * bytes_per_cycle, multipliers, multipliers], color=GREY, linewidth=1.2)
    ax.axvline(ridge, color=LINE, linewidth=0.8, zorder=0)
    note = f"{exact_text(multipliers)} multipliers"
    ax.annotate(note, (high, multipliers), (0, 4), textcoords="offset points", fontsize=7, ha="right", color=GREY)
    slope = f"{exact_text(float(bytes_per_cycle))} B per cycle"
    middle = (low * ridge) ** 0.5
    ax.annotate(
        slope,
        (middle, middle * bytes_per_cycle),
        (-4, 6),
        textcoords="offset points",
        fontsize=7,
        ha="right",
        color=GREY,
    )
    ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(min(y for _, y in every) / 2, multipliers * 2))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
