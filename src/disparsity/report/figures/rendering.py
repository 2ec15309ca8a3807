"""A matplotlib figure as PNG or SVG bytes that depend on the figure alone: no dates, no version, no random ids."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

_SETTINGS: Any = {"svg.hashsalt": "disparsity", "svg.fonttype": "path"}


def png_bytes(figure: Figure, dpi: float = 150) -> bytes:
    """The figure as PNG."""
    return _save(figure, "png", dpi, {"Software": None})


def svg_bytes(figure: Figure) -> bytes:
    """The figure as SVG with its text as outlines, so that it looks the same without our fonts."""
    return _save(figure, "svg", 100, {"Date": None, "Creator": None})


def _save(figure: Figure, kind: str, dpi: float, metadata: dict[str, None]) -> bytes:
    target = io.BytesIO()
    with mpl.rc_context(_SETTINGS):
        figure.savefig(target, format=kind, dpi=dpi, metadata=metadata)
    figure.set_layout_engine("none")  # laid out once: the second file of a tall chart takes half the time
    return target.getvalue()
