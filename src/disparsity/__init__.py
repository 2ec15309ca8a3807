"""disparsity takes a trained stereo network to an accelerator: prune, fine-tune, quantize, report."""

import os

__version__ = "0.1.0"

# OpenMP's idle threads would spin for milliseconds and keep the cores from our own kernels' threads. Read when torch
# is loaded, so it has to stand here.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
