"""disparsity takes a trained stereo network to an accelerator: prune, fine-tune, quantize, report."""

import importlib
import os
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from disparsity.api.compare import compare as compare
    from disparsity.api.evaluate import evaluate as evaluate
    from disparsity.api.hardware import cost as cost
    from disparsity.api.hardware import export as export
    from disparsity.api.network import load as load
    from disparsity.api.network import predict as predict
    from disparsity.api.run import run as run

__version__ = "0.1.0"

_API = {
    "load": "network",
    "run": "run",
    "evaluate": "evaluate",
    "predict": "network",
    "cost": "hardware",
    "export": "hardware",
    "compare": "compare",
}
"""The public functions, each with the module of `disparsity.api` that holds it."""
__all__ = ["__version__", *_API]  # noqa: PLE0604 - names all the same

# OpenMP's idle threads would spin for milliseconds and keep the cores from our own kernels' threads. Read when torch
# is loaded, so it has to stand here.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def __getattr__(name: str) -> Any:
    if name not in _API:
        raise AttributeError(f"module 'disparsity' has no attribute '{name}'")
    # on demand: it needs torch, which is slow to import
    found = getattr(importlib.import_module(f"disparsity.api.{_API[name]}"), name)
    globals()[name] = found
    return found


class _Package(types.ModuleType):
    """The package, in which `run`, `export` and `cost` stay functions.

    There are packages and a module of the same names, and the import system would put each in the function's place as
    soon as it is imported. `from disparsity.run.folder import ...` finds them all the same.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _API and isinstance(value, types.ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
