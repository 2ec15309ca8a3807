"""Mask figures: which weights of every layer are left, weight by weight and as a map of its channels.

Shape legend: Co, Ci, k are output channels, input channels per group, and the kernel's sides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from disparsity.report.figures.chart_style import GREY, LINE, colour_bar, new_figure

Masks = Mapping[str, NDArray[np.bool_]]
"""Where the weights of every layer are not zero, ``[Co, Ci, k, ...]`` by the layer's name."""

MOST_LAYERS = 60
"""Layers that a figure has room for; more are left out, and the figure says how many."""
COLOURS = "cividis"
_COLUMNS, _ROW_IN, _TITLE_IN, _GAP_IN, _SCALE_IN = 6, 1.25, 0.26, 0.04, 0.6
_GAMMA = 0.5
_NAME_LETTERS = 22


def channel_maps(masks: Masks) -> Figure | None:
    """Per layer the fraction of every kernel that is left, output channels down and input channels across.

    All panels share one scale, drawn with its square root so that sparse kernels can be told from empty ones.
    """
    norm = PowerNorm(_GAMMA, 0.0, 100.0)
    figure = _panels(masks, lambda mask: 100.0 * kept_share(mask), cmap=COLOURS, norm=norm, interpolation="nearest")
    if figure is None:
        return None
    place = figure.add_axes((0.25, 0.42 / figure.get_figheight(), 0.5, 0.08 / figure.get_figheight()))
    label = "weights left of a kernel [%]; output channels down, input channels across"
    colour_bar(figure, ScalarMappable(norm, COLOURS), place, label)
    return figure


def weight_masks(masks: Masks) -> Figure | None:
    """Per layer every single weight: black where it is left, every kernel as a tile."""
    figure = _panels(masks, tiled, cmap="binary", vmin=0, vmax=1, interpolation="antialiased")
    if figure is None:
        return None
    note = "black: a weight that is left; output channels down, input channels across, every kernel a tile"
    figure.text(0.5, 0.3 / figure.get_figheight(), note, fontsize=7, ha="center")
    return figure


def kept_share(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The fraction of each kernel's weights that is left, ``[Co, Ci]`` in 0..1."""
    return mask.reshape(*mask.shape[:2], -1).mean(axis=2)


def tiled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask as one image ``[Co * rows, Ci * columns]`` of its kernels; planes of 3D kernels lie side by side."""
    outputs, inputs = mask.shape[:2]
    kernels = mask.reshape(outputs, inputs, -1, mask.shape[-1]) if mask.ndim > 2 else mask[..., None, None]
    if mask.ndim == 5:
        kernels = np.moveaxis(mask, 2, 3).reshape(outputs, inputs, mask.shape[3], -1)
    rows, columns = kernels.shape[2:]
    return kernels.transpose(0, 2, 1, 3).reshape(outputs * rows, inputs * columns)


def _panels(masks: Masks, image: Callable[[NDArray[np.bool_]], NDArray[Any]], **drawing: Any) -> Figure | None:
    """A panel for each of the layers that there is room for, all on one pair of axes in inches: one each takes seconds.

    None where no layer has lost a weight.
    """
    if all(mask.all() for mask in masks.values()):
        return None
    count = min(len(masks), MOST_LAYERS)
    figure = new_figure(_SCALE_IN + _ROW_IN * math.ceil(count / _COLUMNS))
    figure.set_layout_engine("none")
    wide, tall = (float(side) for side in figure.get_size_inches())
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    for index, (name, mask) in zip(range(count), masks.items(), strict=False):
        row, column = divmod(index, _COLUMNS)
        left, right = (wide * (column + side) / _COLUMNS + gap for side, gap in ((0, _GAP_IN), (1, -_GAP_IN)))
        bottom, top = tall - (row + 1) * _ROW_IN, tall - row * _ROW_IN - _TITLE_IN
        shown = ax.imshow(image(mask), extent=(left, right, bottom, top), aspect="auto", **drawing)
        shown.set_clip_on(False)
        ax.plot([left, right, right, left, left], [bottom, bottom, top, top, bottom], color=LINE, linewidth=0.8)
        ax.text((left + right) / 2, top + 0.02, _title(name, mask), fontsize=5, ha="center", va="bottom")
    ax.set(xlim=(0, wide), ylim=(0, tall))
    if len(masks) > count:
        figure.text(0.01, 0.1 / tall, f"the first {count} of {len(masks)} layers", fontsize=7, color=GREY)
    return figure


def _title(name: str, mask: NDArray[np.bool_]) -> str:
    """The layer's name, its shape, and its fraction of weights that are left."""
    short = name if len(name) <= _NAME_LETTERS else f"…{name[-_NAME_LETTERS:]}"
    return f"{short}\n{'×'.join(map(str, mask.shape))}: {100.0 * mask.mean():.1f} %"
