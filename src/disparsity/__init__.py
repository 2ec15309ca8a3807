"""disparsity takes a trained stereo network to an accelerator: prune, fine-tune, quantize, report."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from disparsity.evaluation.prediction import predict

__version__ = "0.1.0"
__all__ = ["__version__", "predict"]

# OpenMP's idle threads would spin for milliseconds and keep the cores from our own kernels' threads. Read when torch
# is loaded, so it has to stand here.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def __getattr__(name: str) -> Any:
    if name == "predict":  # on demand: it needs torch, which is slow to import
        from disparsity.evaluation.prediction import predict as found  # noqa: PLC0415

        return found
    raise AttributeError(f"module 'disparsity' has no attribute '{name}'")
