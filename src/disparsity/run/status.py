"""Status of a run that has not ended, from its last row of metrics."""

from __future__ import annotations

from pathlib import Path

from disparsity.checkpoint.checkpoints import SIDE_FILE
from disparsity.run.folder import METRICS_FILE, is_locked, read_metrics

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
    how = "a process works on it" if is_locked(run) else "stopped; run the same command again to resume"
    return f"{begun[0].name} ({how}): {', '.join([step, *known])}"
