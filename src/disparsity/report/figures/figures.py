"""The charts of a report, each a pure function of the report's dictionary; None where it has nothing to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from matplotlib.figure import Figure

from disparsity.report.figures.chart_style import (
    BLUE,
    GREEN,
    GREY,
    LINE,
    MARKERS,
    ORANGE,
    RED,
    SERIES,
    SKY,
    add_legend,
    label_bars,
    log_axis,
    new_figure,
)
from disparsity.report.figures.layer_figures import cycles_and_utilization, sparsity_and_bits
from disparsity.report.figures.roofline_figure import roofline
from disparsity.report.numbers import UNKNOWN, bytes_text, energy_text
from disparsity.report.schema import STAGES, section

Report = Mapping[str, Any]

_REFERENCES = (
    ("dense fp32", "dense_bytes", GREY, "-"),
    ("entropy bound", "entropy_bound_bytes", RED, "--"),
    ("packed file", "packed_file_bytes", GREEN, ":"),
)


def memory_by_format(report: Report) -> Figure | None:
    """Bytes of the weights in every storage format, index and tables included; dense and entropy bound as lines."""
    memory = report["memory"]
    best = memory["best_format"]
    formats = sorted((size, name) for name, size in memory["formats"].items() if size)
    if not formats:
        return None
    sizes = [size for size, _ in formats]
    figure = new_figure(1.3 + 0.3 * len(formats))
    ax = figure.subplots()
    ax.barh(range(len(formats)), sizes, color=[BLUE if name == best else SKY for _, name in formats])
    label_bars(ax, sizes, bytes_text)
    ax.set_yticks(range(len(formats)), labels=[f"{name} (best)" if name == best else name for _, name in formats])
    ax.invert_yaxis()
    for label, name, colour, style in _REFERENCES:
        if memory[name]:
            ax.axvline(memory[name], color=colour, linestyle=style, label=f"{label}, {bytes_text(memory[name])}")
    log_axis(ax, "weight memory", bytes_text, [*sizes, *(memory[name] for _, name, _, _ in _REFERENCES)])
    add_legend(figure, ax)
    return figure


def error_against_cost(report: Report) -> Figure | None:
    """EPE against the bytes of the weights over the stages, one line per data set; points carry the stage's name."""
    series = _error_points(report)
    if not series:
        return None
    figure = new_figure(3.6)
    ax = figure.subplots()
    for index, (data, points) in enumerate(series.items()):
        colour, marker = SERIES[index % len(SERIES)], MARKERS[index % len(MARKERS)]
        sizes, errors = [size for size, _, _ in points], [error for _, error, _ in points]
        ax.plot(sizes, errors, color=colour, marker=marker, label=data)
        for size, error, stage in points:
            ax.annotate(
                f"{stage}, {error:.2f} px", (size, error), (0, 7), textcoords="offset points", fontsize=7, ha="center"
            )
    every = [point for points in series.values() for point in points]
    log_axis(ax, "weight memory", bytes_text, [size for size, _, _ in every])
    ax.set(ylabel="EPE [px]", ylim=(0, 1.2 * max(error for _, error, _ in every) or 1))
    ax.grid(axis="y", color=LINE, linewidth=0.8)
    add_legend(figure, ax)
    return figure


def energy_split(report: Report) -> Figure | None:
    """Energy of products, buffer and DRAM before and after compression, on one logarithmic scale."""
    hardware, traffic = report["hardware"], section(report, "traffic")
    tiled = any(traffic["dram_energy_pj"].values())
    parts = {
        "MAC": hardware["mac_energy_pj"],
        "SRAM": traffic["sram_energy_pj"],
        "DRAM, tiled" if tiled else "DRAM, once": traffic["dram_energy_pj"] if tiled else hardware["memory_energy_pj"],
    }
    ends = (("dense", ORANGE), ("compressed", BLUE))
    bars = [(f"{part}, {end}", of[end], colour) for part, of in parts.items() for end, colour in ends if of.get(end)]
    if not bars:
        return None
    values = [value for _, value, _ in bars]
    figure = new_figure(0.9 + 0.36 * len(bars))
    ax = figure.subplots()
    ax.barh(range(len(bars)), values, color=[colour for _, _, colour in bars])
    label_bars(ax, values, energy_text)
    ax.set_yticks(range(len(bars)), labels=[label for label, _, _ in bars])
    ax.invert_yaxis()
    log_axis(ax, f"energy per pair, profile {hardware['profile'] or UNKNOWN}", energy_text, values)
    return figure


def stage_bytes(report: Report) -> dict[str, float | None]:
    """The bytes of the weights after each stage, as far as the report knows them.

    ``memory.stage_bytes`` where the report has it; else dense fp32 for the dense and the packed file for the quantized
    stage, and None for the pruned one.
    """
    memory = report["memory"]
    own = {"dense": memory["dense_bytes"], "pruned": None, "quantized": memory["packed_file_bytes"]}
    return own | {stage: size for stage, size in (memory.get("stage_bytes") or {}).items() if size is not None}


def _error_points(report: Report) -> dict[str, list[tuple[float, float, str]]]:
    """Per data set (bytes, EPE, stage), for the first aggregation only: figures of two kinds share no axis."""
    sizes = stage_bytes(report)
    first = next((row["aggregation"] for row in report["accuracy"]), None)
    series: dict[str, list[tuple[float, float, str]]] = {}
    for row in sorted(report["accuracy"], key=lambda row: STAGES.index(row["stage"])):
        size = sizes[row["stage"]]
        if size and row["epe_px"] is not None and row["aggregation"] == first:
            series.setdefault(row["data"], []).append((size, row["epe_px"], row["stage"]))
    return series


FIGURES: dict[str, Callable[[Report], Figure | None]] = {
    "error_against_cost": error_against_cost,
    "memory_by_format": memory_by_format,
    "energy_split": energy_split,
    "roofline": roofline,
    "sparsity_and_bits": sparsity_and_bits,
    "cycles_and_utilization": cycles_and_utilization,
}
