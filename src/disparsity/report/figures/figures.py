"""Charts of a report, each a pure function of the report; None where it has nothing to show."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from disparsity.hwcost.models.quantities import UNKNOWN
from disparsity.report.accuracy import STAGES
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
    labelled_bars,
    log_axis,
    new_figure,
    note,
)
from disparsity.report.figures.layer_figures import cycles_and_utilization, sparsity_and_bits
from disparsity.report.figures.roofline_figure import roofline
from disparsity.report.numbers import bytes_text, energy_text
from disparsity.report.report import Report


def memory_by_format(report: Report) -> Figure | None:
    """Bytes of the weights in every storage format, index and tables included; dense and entropy bound as lines."""
    memory = report.memory
    formats = sorted((size, name) for name, size in memory.formats.items() if size)
    if not formats:
        return None
    figure = new_figure(1.3 + 0.3 * len(formats))
    ax = figure.subplots()
    bars = {f"{name} (best)" if name == memory.best_format else name: size for size, name in formats}
    labelled_bars(ax, bars, [BLUE if name == memory.best_format else SKY for _, name in formats], bytes_text)
    references = (
        ("dense fp32", memory.dense_bytes, GREY, "-"),
        ("entropy bound", memory.entropy_bound_bytes, RED, "--"),
        ("packed file", memory.packed_file_bytes, GREEN, ":"),
    )
    for label, size, colour, style in references:
        if size:
            ax.axvline(size, color=colour, linestyle=style, label=f"{label}, {bytes_text(size)}")
    log_axis(ax, "weight memory", bytes_text, [*bars.values(), *(size for _, size, _, _ in references)])
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
            note(ax, f"{stage}, {error:.2f} px", (size, error), (0, 7), ha="center")
    every = [point for points in series.values() for point in points]
    log_axis(ax, "weight memory", bytes_text, [size for size, _, _ in every])
    ax.set(ylabel="EPE [px]", ylim=(0, 1.2 * max(error for _, error, _ in every) or 1))
    ax.grid(axis="y", color=LINE, linewidth=0.8)
    add_legend(figure, ax)
    return figure


def energy_split(report: Report) -> Figure | None:
    """Energy of products, buffer and DRAM before and after compression, on one logarithmic scale."""
    hardware, traffic = report.hardware, report.traffic
    parts = {"MAC": hardware.mac_energy_pj}
    if traffic:
        parts["SRAM"] = traffic.sram_energy_pj
    if traffic and (traffic.dram_energy_pj.dense or traffic.dram_energy_pj.compressed):
        parts["DRAM, tiled"] = traffic.dram_energy_pj
    else:
        parts["DRAM, once"] = hardware.memory_energy_pj
    ends = [(f"{part}, {end}", getattr(of, end)) for part, of in parts.items() for end in ("dense", "compressed")]
    bars = {label: value for label, value in ends if value}
    if not bars:
        return None
    figure = new_figure(0.9 + 0.36 * len(bars))
    ax = figure.subplots()
    labelled_bars(ax, bars, [ORANGE if label.endswith("dense") else BLUE for label in bars], energy_text)
    log_axis(ax, f"energy per pair, profile {hardware.profile or UNKNOWN}", energy_text, list(bars.values()))
    return figure


def stage_bytes(report: Report) -> dict[str, float | None]:
    """The bytes of the weights after each stage, as far as the report knows them.

    ``memory.stage_bytes`` where the report has it; else dense fp32 for the dense and the packed file for the quantized
    stage, and None for the pruned one.
    """
    memory = report.memory
    own = {"dense": memory.dense_bytes, "pruned": None, "quantized": memory.packed_file_bytes}
    stated = vars(memory.stage_bytes) if memory.stage_bytes else {}
    return own | {stage: size for stage, size in stated.items() if size is not None}


def _error_points(report: Report) -> dict[str, list[tuple[float, float, str]]]:
    """Per data set (bytes, EPE, stage), for the first aggregation only: figures of two kinds share no axis."""
    sizes = stage_bytes(report)
    first = next((row.aggregation for row in report.accuracy), None)
    series: dict[str, list[tuple[float, float, str]]] = {}
    for row in sorted(report.accuracy, key=lambda row: STAGES.index(row.stage)):
        size = sizes[row.stage]
        if size and row.epe_px is not None and row.aggregation == first:
            series.setdefault(row.data, []).append((size, row.epe_px, row.stage))
    return series


FIGURES: dict[str, Callable[[Report], Figure | None]] = {
    "error_against_cost": error_against_cost,
    "memory_by_format": memory_by_format,
    "energy_split": energy_split,
    "roofline": roofline,
    "sparsity_and_bits": sparsity_and_bits,
    "cycles_and_utilization": cycles_and_utilization,
}
