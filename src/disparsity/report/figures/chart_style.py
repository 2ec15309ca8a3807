"""Chart style: colours, sizes, axes and the parts that several charts have.

Colours: Okabe and Ito's palette, which readers with any of the common colour deficiencies can tell apart.
Source: Okabe and Ito 2008, "Color Universal Design".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

BLUE, ORANGE, GREEN, RED, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
SERIES = (BLUE, RED, GREEN, PURPLE, ORANGE, SKY)
MARKERS = "osD^vP"
GREY, LINE = "#555555", "#e5e7eb"
_WIDTH_IN = 6.4
_FEW_DECADES = 1.5


def new_figure(height_in: float) -> Figure:
    """A white figure of the report's width that pyplot does not know."""
    return Figure(figsize=(_WIDTH_IN, height_in), layout="constrained", facecolor="white")


def log_axis(ax: Axes, label: str, text: Callable[[float | None], str], figures: Sequence[float | None]) -> None:
    """Make the x axis logarithmic around `figures`, with ticks in words and room for a label at the right."""
    known = [figure for figure in figures if figure]
    ax.set_xscale("log")
    ax.set_xlim(min(known) / 2, max(known) * (max(known) / min(known)) ** 0.12 * 2)
    low, high = ax.get_xlim()
    subs = (1.0, 2.0, 5.0) if high / low < 10**_FEW_DECADES * 3 else (1.0,)
    ax.xaxis.set_major_locator(LogLocator(subs=subs, numticks=8))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(text(value))))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel(f"{label} (logarithmic)")
    clean(ax)


def labelled_bars(
    ax: Axes,
    bars: Mapping[str, float],
    colours: Sequence[str],
    text: Callable[[float | None], str],
) -> None:
    """Horizontal bars from top to bottom, each with its figure beside its end, readable even where a line crosses."""
    ax.barh(range(len(bars)), list(bars.values()), color=colours)
    for place, value in enumerate(bars.values()):
        found = note(ax, text(value), (value, place), (5, 0), va="center", fontsize=8, zorder=5)
        found.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.0})
    ax.set_yticks(range(len(bars)), labels=list(bars))
    ax.invert_yaxis()


def note(ax: Axes, text: str, at: tuple[float, float], offset: tuple[float, float], **style: Any) -> Annotation:
    """A small text `offset` points away from a place in the axes."""
    return ax.annotate(text, at, offset, textcoords="offset points", **{"fontsize": 7, **style})


def colour_bar(figure: Figure, scale: ScalarMappable, ax: Axes, label: str, **options: Any) -> Colorbar:
    """A horizontal colour scale that fills `ax`."""
    bar = figure.colorbar(scale, cax=ax, orientation="horizontal", **options)
    bar.set_label(label, fontsize=7, labelpad=1)
    bar.ax.tick_params(labelsize=7, length=2, pad=1)
    return bar


def clean(ax: Axes) -> None:
    """Take away what carries no information."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=8, length=2)
    ax.xaxis.label.set_fontsize(9)
    ax.yaxis.label.set_fontsize(9)


def add_legend(figure: Figure, *axes: Axes) -> None:
    """One legend of all axes above them, so that it hides nothing."""
    found = [pair for ax in axes for pair in zip(*ax.get_legend_handles_labels(), strict=True)]
    if found:
        handles, labels = zip(*found, strict=True)
        figure.legend(handles, labels, loc="outside upper left", ncols=3, frameon=False, fontsize=8)


def _short(text: str) -> str:
    number, _, unit = text.partition(" ")
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {unit}".strip()
