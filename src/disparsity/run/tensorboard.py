"""Metrics for TensorBoard, beside metrics.jsonl: `tensorboard --logdir RUN` shows them during a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from disparsity.base.extras import import_extra

FOLDER = "tensorboard"
_FLUSH_SECONDS = 10


def check_tensorboard() -> None:
    """Refuse to start without the package.

    Raises:
        InputError: it is not installed.

    """
    import_extra("tensorboard", "tensorboard")


class Scalars:
    """Writes the rows of a stage as scalars.

    Args:
        folder: the stage's; events go into a folder of their own in it.
        step: steps behind this one, written before a run was stopped, no longer count.

    Raises:
        InputError: TensorBoard is not installed.

    """

    def __init__(self, folder: Path, step: int) -> None:
        check_tensorboard()
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - slow, and only with the extra

        directory = str(folder / FOLDER)
        self._writer = SummaryWriter(directory, purge_step=step + 1, flush_secs=_FLUSH_SECONDS)

    def add(self, row: Mapping[str, Any]) -> None:
        """Write every figure of a row that is known, at its step."""
        for name, value in row.items():
            if name != "step" and value is not None:
                self._writer.add_scalar(name, value, row["step"])

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
