"""Two pictures: error over bits after rounding, and change of the output over packed bytes."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quantizing.cases import WIDTHS
from quantizing.rows import Row, Rows

WAYS = {"nearest": "--", "reconstruct": "-"}
MARKERS = {"nearest": "o", "reconstruct": "x"}


def draw(rows: Rows) -> Figure:
    """The pruned and the dense network by quantizer and width; transform quantization against uniform rounding."""
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for axes, start in ((left, "pruned"), (middle, "dense")):
        _rounded(axes, rows, start)
    _transform(right, rows)
    return figure


def _rounded(axes: Axes, rows: Rows, start: str) -> None:
    for index, (quantizer, widths) in enumerate(WIDTHS.items()):
        for way, style in WAYS.items():
            found = [r for bits in widths if (r := rows.get("post_training", start, f"{quantizer}, {way}", bits))]
            if found:
                points = ([r["bits"] for r in found], [r["epe_px"] for r in found])
                marker = MARKERS[way]
                axes.plot(*points, style, marker=marker, markersize=4, color=f"C{index}", label=f"{quantizer}, {way}")
    reference = rows.in_float(start)
    if reference:
        axes.axhline(reference["epe_px"], color="black", linewidth=1, linestyle=":", label="float")
        axes.legend(fontsize=7)
    axes.set(xlabel="weight bits (inputs 8)", ylabel="EPE, px", title=f"{start}, rounded, nothing trained")


def _transform(axes: Axes, rows: Rows) -> None:
    variants: dict[str, list[Row]] = {}
    for row in rows.of("transform"):
        variants.setdefault(row["variant"], []).append(row)
    for variant, found in variants.items():
        found.sort(key=lambda row: row["bytes"])
        sizes, changes = [row["bytes"] / 1000 for row in found], [row["change_px2"] for row in found]
        axes.plot(sizes, changes, marker="o", markersize=4, label=variant)
        for row, x, y in zip(found, sizes, changes, strict=True):
            axes.annotate(str(row["bits"]), (x, y), fontsize=7, textcoords="offset points", xytext=(3, 3))
    axes.set(yscale="log", xlabel="packed file, kB", ylabel="mean squared change, px²", title="weights alone, dense")
    if variants:
        axes.legend(fontsize=7)
