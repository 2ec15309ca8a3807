"""Disparity error against weight memory, from the committed results: the picture of the README.

    python benchmarks/readme_figure.py    writes docs/error_against_memory.png and .svg, and the points as JSON rows

Both axes are relative to the dense float32 network on the same data, so that networks and data sets share one picture.
No figure is typed in here: every point is read from a result file, which names its command, commit and machine.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.rows import mean, of, read_rows, values, write_rows
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from disparsity.base.atomic_io import write_bytes
from disparsity.report.figures.chart_style import BLUE, GREEN, GREY, LINE, PURPLE, RED, SKY, clean, new_figure
from disparsity.report.figures.rendering import png_bytes, svg_bytes

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DEMO, STEREONET, ANYNET = "demo: built-in network, synthetic", "StereoNet, FlyingThings3D", "AnyNet, KITTI 2015"
FULL = "the same with an hour of steps"
PRUNED, EQUAL, BITS = (
    "pruned alone, built-in network",
    "control: dense network of equal bytes",
    "bits alone, built-in network",
)
LOOKS = {
    DEMO: (BLUE, "o", True),
    FULL: (BLUE, "*", True),
    STEREONET: (RED, "s", True),
    ANYNET: (GREEN, "D", True),
    PRUNED: (SKY, "^", False),
    BITS: (PURPLE, "v", False),
    EQUAL: (GREY, "x", False),
}
LABELS = {
    DEMO: ((9, -3), "left"),
    FULL: ((9, -3), "left"),
    STEREONET: ((-9, -3), "right"),
    ANYNET: ((-9, -3), "right"),
    PRUNED: ((6, 4), "left"),
    BITS: ((0, -10), "center"),
    EQUAL: ((0, 6), "center"),
}
"""Where the points' labels stand, in points from them."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One network: how much of the dense one's bytes is left, and its EPE over the dense one's."""

    series: str
    label: str
    memory_percent: float
    error_factor: float
    source: str


def points() -> list[Point]:
    """All points, in the order in which the series are drawn."""
    return [
        _of_a_run(DEMO, "demo.md"),
        _of_the_full_recipe(),
        _of_a_run(STEREONET, "stereonet_flyingthings.md"),
        _of_a_run(ANYNET, "anynet_kitti2015.md"),
        *_of_stage_one("default", PRUNED),
        *_of_allocations(),
        *_of_stage_one("dense_equal_bytes", EQUAL),
    ]


def _of_a_run(series: str, name: str) -> Point:
    """The summary that a run prints: its EPE line and its packed file."""
    text = (RESULTS / name).read_text(encoding="utf-8")
    factor = float(_found(r"^  EPE .* x([\d.]+)$", text)[1])
    saved = float(_found(r"^  packed file .* -([\d.]+) %$", text)[1])
    return _whole(series, factor, saved, name)


def _of_the_full_recipe() -> Point:
    """The rounded network's row: its error above the dense one's, and its packed file."""
    name = "reference_full.md"
    text = (RESULTS / name).read_text(encoding="utf-8")
    lost, saved = _found(r"^\| and W4 A8.*? \(\+([\d.]+) %\).* kB \(-([\d.]+) %\)", text).groups()
    return _whole(FULL, 1.0 + float(lost) / 100.0, float(saved), name)


def _whole(series: str, factor: float, saved: float, source: str) -> Point:
    """A network that went through the whole pipeline, labelled with both of its figures."""
    return Point(
        series=series,
        label=f"-{saved:.1f} %, x{factor:.2f}",
        memory_percent=100.0 - saved,
        error_factor=factor,
        source=source,
    )


def _of_stage_one(variant: str, series: str) -> Iterator[Point]:
    """Means over the seeds of the finalists: float weights, positions counted."""
    rows = of(read_rows(RESULTS / "stage_one.json"), group="final", variant=variant)
    text = (RESULTS / "stage_one.md").read_text(encoding="utf-8")
    dense = float(_found(r"dense EPE ([\d.]+) px", text)[1])
    for sparsity in sorted({row["case"]["sparsity"] for row in rows}):
        runs = of(rows, sparsity=sparsity)
        yield Point(
            series=series,
            label=f"{100 * sparsity:g} % zeros",
            memory_percent=100.0 * (mean(runs, "bytes") or 0.0) / _dense_bytes(),
            error_factor=(mean(runs, "epe_px") or 0.0) / dense,
            source="stage_one.json",
        )


def _of_allocations() -> Iterator[Point]:
    """Equal slopes, nothing pruned and nothing trained."""
    text = (RESULTS / "stage_two_allocation.md").read_text(encoding="utf-8")
    dense = float(_found(r"\(float: ([\d.]+)\)", text)[1])
    for row in of(read_rows(RESULTS / "stage_two_allocation.json"), method="lagrangian"):
        yield Point(
            series=BITS,
            label=f"{row['case']['average_bits']:g} bit",
            memory_percent=100.0 * row["found"]["bytes"] / _dense_bytes(),
            error_factor=row["found"]["epe_px"] / dense,
            source="stage_two_allocation.json",
        )


def _dense_bytes() -> float:
    """Of the dense built-in network's weights in float32."""
    return values(of(read_rows(RESULTS / "stage_two.json"), group="float", start="dense"), "bytes")[0]


def _found(pattern: str, text: str) -> re.Match[str]:
    found = re.search(pattern, text, re.MULTILINE)
    assert found, pattern
    return found


def draw(found: list[Point]) -> Figure:
    """Factor of the error over the share of memory that is left, both logarithmic; lower left is better."""
    figure = new_figure(3.7)
    ax = figure.subplots()
    for series, (colour, marker, filled) in LOOKS.items():
        own = sorted((p for p in found if p.series == series), key=lambda p: p.memory_percent)
        x, y = [p.memory_percent for p in own], [p.error_factor for p in own]
        style: dict[str, Any] = {"markersize": 9 if filled else 5, "linewidth": 1, "zorder": 3 if filled else 2}
        ax.plot(x, y, color=colour, marker=marker, linestyle="none" if filled else "--", label=series, **style)
        for point in own:
            place, side = LABELS[series]
            ax.annotate(
                point.label, (point.memory_percent, point.error_factor), place, textcoords="offset points",
                fontsize=7.5 if filled else 6, color=colour, ha=side, weight="bold" if filled else "normal",
            )  # fmt: skip
    ax.axhline(1.0, color=LINE, linewidth=1, zorder=0)
    ax.set(xscale="log", yscale="log", xlim=(0.6, 20), ylim=(0.92, 3.4))
    ax.set_xticks([1, 2, 5, 10, 20])
    ax.set_yticks([1, 1.5, 2, 3])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("weight memory left [% of dense float32, everything counted] (logarithmic)")
    ax.set_ylabel("EPE / dense EPE (logarithmic)")
    ax.grid(color=LINE, linewidth=0.6)
    clean(ax)
    figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=7.5)
    return figure


def as_rows(found: list[Point]) -> list[dict[str, Any]]:
    """The points as JSON rows, rounded."""
    rounded = {"memory_percent": 3, "error_factor": 3}
    return [{k: round(v, rounded[k]) if k in rounded else v for k, v in asdict(point).items()} for point in found]


def main() -> None:
    """Write picture and table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    found = points()
    figure = draw(found)
    write_bytes(ROOT / "docs" / "error_against_memory.png", png_bytes(figure))
    write_bytes(ROOT / "docs" / "error_against_memory.svg", svg_bytes(figure))
    write_rows(RESULTS / "error_against_memory.json", as_rows(found))


if __name__ == "__main__":
    main()
