"""Training curves of a run that has not ended, drawn into its report folder."""

from __future__ import annotations

from pathlib import Path

from disparsity.base.atomic_io import write_bytes
from disparsity.report.figures.rendering import png_bytes, svg_bytes
from disparsity.report.figures.training_chart import training_curves
from disparsity.run.folder import history

CURVES = Path("report", "figures", "training_curves.svg")


def write_curves(run: Path) -> Path | None:
    """Draw the training curves as far as they go, as PNG and SVG; the path of the latter, None without metrics."""
    figure = training_curves(history(run))
    if figure is None:
        return None
    path = run / CURVES
    write_bytes(path.with_suffix(".png"), png_bytes(figure))
    write_bytes(path, svg_bytes(figure))
    return path
