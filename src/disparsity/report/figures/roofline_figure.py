"""Roofline figure: every call's products per cycle against its products per byte, under the machine's two roofs."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from disparsity.hwcost.layer_table import LayerRow
from disparsity.report.figures.chart_style import BLUE, GREY, LINE, ORANGE, add_legend, clean, new_figure, note
from disparsity.report.numbers import capacity_text, exact_text
from disparsity.report.report import Report

Points = list[tuple[float, float]]


def roofline(report: Report) -> Figure | None:
    """Dense and compressed calls with weights, log-log; None where no call's traffic is known."""
    machine, roof = report.machine, report.roofline
    layers = [layer for layer in report.layers if layer.weight_count]
    dense = [(layer, layer.dense_intensity_macs_per_byte, layer.dense_roofline_cycles) for layer in layers]
    compressed = [(layer, layer.intensity_macs_per_byte, layer.roofline_cycles) for layer in layers]
    series = {
        "dense, float32": (_points(dense), ORANGE, "o"),
        "compressed": (_points(compressed), BLUE, "^"),
    }
    every = [point for found, _, _ in series.values() for point in found]
    if not every or not roof or not roof.multipliers or not machine or not machine.dram_bytes_per_cycle:
        return None
    figure = new_figure(3.8)
    ax = figure.subplots()
    _roofs(ax, every, roof.multipliers, machine.dram_bytes_per_cycle)
    for label, (found, colour, marker) in series.items():
        x, y = [point[0] for point in found], [point[1] for point in found]
        ax.scatter(x, y, s=30, color=colour, marker=marker, alpha=0.6, linewidths=0, label=label)
    ax.set(
        xlabel=f"MACs per byte of DRAM traffic, buffer {capacity_text(machine.buffer_bytes)} (logarithmic)",
        ylabel="MACs per cycle (logarithmic)",
    )
    clean(ax)
    add_legend(figure, ax)
    return figure


def _points(calls: Sequence[tuple[LayerRow, float | None, int | None]]) -> Points:
    """``(MACs per byte, MACs per cycle)`` of every call whose traffic is known."""
    return [
        (intensity, layer.dense_macs / cycles)
        for layer, intensity, cycles in calls
        if intensity and cycles and layer.dense_macs is not None
    ]


def _roofs(ax: Axes, every: Points, multipliers: int, bytes_per_cycle: float) -> None:
    """Both roofs around the points, and the ridge where they meet."""
    ridge = multipliers / bytes_per_cycle
    low, high = min(ridge, *(x for x, _ in every)) / 2, max(ridge, *(x for x, _ in every)) * 2
    ax.plot([low, ridge, high], [low * bytes_per_cycle, multipliers, multipliers], color=GREY, linewidth=1.2)
    ax.axvline(ridge, color=LINE, linewidth=0.8, zorder=0)
    middle = (low * ridge) ** 0.5
    labels = (
        (f"{exact_text(multipliers)} multipliers", (high, multipliers), (0, 4)),
        (f"{exact_text(float(bytes_per_cycle))} B per cycle", (middle, middle * bytes_per_cycle), (-4, 6)),
    )
    for text, at, offset in labels:
        note(ax, text, at, offset, ha="right", color=GREY)
    ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(min(y for _, y in every) / 2, multipliers * 2))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
