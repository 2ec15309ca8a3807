"""Panel figure of a stereo pair: image, truth, both estimates and both errors, on shared scales."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap, Normalize
from matplotlib.figure import Figure

from disparsity.report.figures.chart_style import colour_bar
from disparsity.stereo.drawing import (
    ABSOLUTE_LIMIT_PX,
    DISPARITY_COLOURS,
    ERROR_COLOURS,
    ERROR_EDGES,
    Image,
    Map,
    Mask,
    colour_disparity,
    colour_error,
    thicken,
)
from disparsity.stereo.metrics import image_errors, pooled

_SPARSE_DENSITY = 0.5
_FIGURE_WIDTH_IN, _GAP_IN, _LABEL_IN, _SCALES_IN = 12.0, 0.1, 0.25, 0.65
_WIDE_ASPECT = 2.0


def draw_panels(
    left: Image,
    truth: Map,
    valid: Mask,
    dense: Map,
    compressed: Map,
    *,
    maximum: float | None = None,
    title: str | None = None,
) -> Figure:
    """Draw one pair: left image, ground truth, both estimates and both errors, on shared scales.

    Args:
        left: ``[H, W, 3]`` uint8 RGB.
        truth: ``[H, W]`` ground truth in pixels.
        valid: ``[H, W]`` where the truth is known.
        dense: ``[H, W]`` estimate before compression, in pixels.
        compressed: ``[H, W]`` estimate after compression, in pixels.
        maximum: the disparity of the brightest colour in every panel; the largest valid truth unless given.
        title: a line above the panels, such as the pair's id.

    Returns:
        A figure of its own: nothing is registered with pyplot.

    """
    top = maximum if maximum is not None else _largest(truth, valid)
    images = {
        "left image": left,
        "ground truth": _dense_enough(colour_disparity(truth, top, valid), valid),
        f"dense: {_scores(dense, truth, valid)}": colour_disparity(dense, top),
        "error of dense": _error_image(dense, truth, valid),
        f"compressed: {_scores(compressed, truth, valid)}": colour_disparity(compressed, top),
        "error of compressed": _error_image(compressed, truth, valid),
    }
    figure, axes, bars = _grid(left.shape[1] / left.shape[0], title)
    for (label, image), ax in zip(images.items(), axes, strict=True):
        ax.imshow(image, interpolation="antialiased", interpolation_stage="rgba", aspect="auto")
        ax.set_title(label, fontsize=8, loc="left", pad=3)
        ax.set_axis_off()
    _colour_bars(figure, bars, top)
    return figure


def _grid(aspect: float, title: str | None) -> tuple[Figure, list[Axes], list[Axes]]:
    """A figure with six axes, every estimate next to its error (wide images stacked), and two axes for the scales."""
    rows, columns = (3, 2) if aspect > _WIDE_ASPECT else (2, 3)
    panel = (_FIGURE_WIDTH_IN - _GAP_IN * (columns + 1)) / columns
    row = panel / aspect + _LABEL_IN
    height = rows * row + _SCALES_IN + (_LABEL_IN if title else 0.0)
    figure = Figure(figsize=(_FIGURE_WIDTH_IN, height), facecolor="white")
    if title:
        figure.text(_GAP_IN / _FIGURE_WIDTH_IN, 1 - 0.05 / height, title, fontsize=9, fontweight="bold", va="top")

    def place(left: float, bottom: float, width: float, tall: float) -> Axes:
        box = (left / _FIGURE_WIDTH_IN, bottom / height, width / _FIGURE_WIDTH_IN, tall / height)
        return figure.add_axes(box)

    cells = [(r, c) for r in range(rows) for c in range(columns)]
    if columns == 3:
        cells.sort(key=lambda cell: (cell[1], cell[0]))
    axes = [
        place(_GAP_IN + c * (panel + _GAP_IN), _SCALES_IN + (rows - 1 - r) * row, panel, panel / aspect)
        for r, c in cells
    ]
    half = (_FIGURE_WIDTH_IN - 4 * _GAP_IN) / 2
    starts = (_GAP_IN, 3 * _GAP_IN + half)
    return figure, axes, [place(start, _SCALES_IN - 0.25, half, 0.12) for start in starts]


def _colour_bars(figure: Figure, bars: list[Axes], maximum: float) -> None:
    """Two bars below the panels: the disparity scale, and the error scale with its doubling bins."""
    colour_bar(figure, ScalarMappable(Normalize(0, maximum), DISPARITY_COLOURS), bars[0], "disparity [px]")
    bins = BoundaryNorm(np.append(ERROR_EDGES, 2 * ERROR_EDGES[-1]), len(ERROR_COLOURS))
    scale = ScalarMappable(bins, ListedColormap(ERROR_COLOURS / 255.0))
    label = "error [px], or 60 × error / truth where that is less; above 3 counts as wrong (D1)"
    bar = colour_bar(figure, scale, bars[1], label, spacing="uniform")
    bar.set_ticks(list(ERROR_EDGES), labels=[f"{edge * ABSOLUTE_LIMIT_PX:.2g}" for edge in ERROR_EDGES])


def _scores(estimate: Map, truth: Map, valid: Mask) -> str:
    figures = pooled([image_errors(estimate, truth, valid)])
    if figures["epe_px"] is None or figures["d1_percent"] is None:
        return "no valid pixel"
    return f"EPE {figures['epe_px']:.2f} px, D1 {figures['d1_percent']:.1f} %"


def _error_image(estimate: Map, truth: Map, valid: Mask) -> Image:
    """A pixel without a finite estimate is wrong by the whole truth, as in the metrics."""
    error = np.abs(np.where(np.isfinite(estimate), estimate, 0.0) - truth)
    return _dense_enough(colour_error(error, truth, valid), valid)


def _dense_enough(image: Image, valid: Mask) -> Image:
    return thicken(image, valid) if valid.mean() < _SPARSE_DENSITY else image


def _largest(truth: Map, valid: Mask) -> float:
    known = truth[valid & np.isfinite(truth)]
    return float(known.max()) if known.size and known.max() > 0 else 1.0
