"""Charts with a bar per layer, in the order of execution; None where no layer holds weights."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from disparsity.hwcost.models.quantities import UNKNOWN
from disparsity.report.figures.chart_style import BLUE, GREEN, ORANGE, RED, SKY, add_legend, clean, new_figure, note
from disparsity.report.figures.drawn_layers import DrawnLayer, drawn_layers
from disparsity.report.numbers import count_text
from disparsity.report.report import Report

_BAR_IN = 0.16


def sparsity_and_bits(report: Report) -> Figure | None:
    """Sparsity and weight bits of every layer that holds weights."""
    rows = drawn_layers(report.layers)
    if not rows:
        return None
    figure, left, right = _two_axes(rows)
    _bars(left, [row.sparsity_percent for row in rows], BLUE)
    left.set(xlim=(0, 100), xlabel="sparsity [% of weights that are zero]")
    _bars(right, [row.weight_bits for row in rows], ORANGE)
    right.set(xlabel="bits per weight", xlim=(0, None))
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def cycles_and_utilization(report: Report) -> Figure | None:
    """Cycles of every layer on the plain array and with zeros skipped, and how busy multipliers and lanes are."""
    rows = drawn_layers(report.layers)
    if not any(row.cycles for row in rows):
        return None
    figure, left, right = _two_axes(rows)
    _bars(left, [row.cycles for row in rows], SKY, label="plain array")
    if any(row.skipped_cycles is not None for row in rows):
        _bars(left, [row.skipped_cycles for row in rows], BLUE, height=0.4, label="zeros skipped in order")
    left.set(xlabel="cycles, all calls of the layer", xlim=(0, None))
    left.xaxis.set_major_locator(MaxNLocator(5))
    left.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count_text(value)))
    _bars(right, [row.utilization for row in rows], GREEN, label="multipliers, plain array")
    lanes = {place: row.lane_utilization for place, row in enumerate(rows) if row.lane_utilization is not None}
    right.plot(list(lanes.values()), list(lanes), "o", color=RED, markersize=3, label="lanes, zeros skipped")
    right.set(xlabel="utilization", xlim=(0, 1.02))
    add_legend(figure, left, right)
    return figure


def _two_axes(rows: Sequence[DrawnLayer]) -> tuple[Figure, Axes, Axes]:
    """Two axes that share the layers' names."""
    figure = new_figure(0.9 + _BAR_IN * len(rows))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    left.set_yticks(range(len(rows)), labels=[row.name for row in rows], fontsize=7)
    left.set_ylim(len(rows) - 0.4, -0.6)
    return figure, left, right


def _bars(ax: Axes, values: Sequence[float | None], colour: str, height: float = 0.8, label: str = "") -> None:
    known = {place: value for place, value in enumerate(values) if value is not None}
    ax.barh(list(known), list(known.values()), height, color=colour, label=label)
    for place in set(range(len(values))) - set(known):
        note(ax, UNKNOWN, (0, place), (3, 0), va="center", fontsize=6)
    clean(ax)
