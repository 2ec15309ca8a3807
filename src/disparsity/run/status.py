"""How far a run is that has not ended: what its last row of metrics says, and its training curves."""

from __future__ import annotations

from pathlib import Path

from disparsity.base.atomic_io import write_bytes
from disparsity.checkpoint.checkpoints import SIDE_FILE
from disparsity.report.figures.rendering import png_bytes, svg_bytes
from disparsity.report.figures.training_chart import training_curves
from disparsity.run.folder import METRICS_FILE, history, is_locked, read_metrics

CURVES = Path("report", "figures", "training_curves.svg")
_FIGURES = {"loss": "loss {:.3g}", "epe_px": "EPE of its batches {:.2f} px", "sparsity": "{:.1%} zeros"}


def state_of(run: Path) -> str | None:
    """The stage that has begun and not ended, in one line; None where there is none. Nothing is locked or changed."""
    begun = [folder for folder in sorted(run.glob("stages/*")) if not (folder / SIDE_FILE).is_file()]
    if not begun:
        return None
    path = begun[0] / METRICS_FILE
    rows = read_metrics(path) if path.is_file() else []
    known = [text.format(rows[-1][name]) for name, text in _FIGURES.items() if rows and rows[-1].get(name) is not None]
    step = f"step {rows[-1]['step']}" if rows else "no metrics yet"
    how = "a process works on it" if is_locked(run) else "stopped; the same command goes on"
    return f"{begun[0].name} ({how}): {', '.join([step, *known])}"


def write_curves(run: Path) -> Path | None:
    """Draw the training curves as far as they go, as PNG and SVG; the path of the latter, None without metrics."""
    figure = training_curves(history(run))
    if figure is None:
        return None
    path = run / CURVES
    write_bytes(path.with_suffix(".png"), png_bytes(figure))
    write_bytes(path, svg_bytes(figure))
    return path
