"""Presets at their smallest, with fresh weights: whether every operator can be exported and runs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from harness.networks import rounded

from disparsity.base.errors import DisparsityError
from disparsity.evaluation.sessions.onnx import open_onnx
from disparsity.export.onnx.file import write_onnx
from disparsity.stereo.inference import predict
from disparsity.stereo.networks import build_network

SMALLEST = {
    "psmnet": {"width": 4, "blocks": 1, "max_disparity": 16, "largest_pool": 8},
    "gwcnet": {"width": 4, "blocks": 1, "groups": 10, "max_disparity": 16},
    "gcnet": {"width": 4, "blocks": 2, "max_disparity": 64},
    "mobilestereonet": {"width": 4, "blocks": 1, "hourglass_width": 4, "max_disparity": 8},
    "dispnetc": {"width": 4, "max_disparity": 16},
    "stereonet": {"width": 6, "refinement_width": 5, "max_disparity": 32},
    "reference": {"width": 6, "refinement_width": 5, "max_disparity": 16},
}
"""Settings by the first part of a preset's name."""
WIDTHS, SIZE = (4, 8), (64, 128)


def preset(name: str) -> dict[str, Any]:
    """How far ONNX Runtime is from torch on noise, or why the preset cannot be exported."""
    torch.manual_seed(0)
    changes = next((value for prefix, value in SMALLEST.items() if name.startswith(prefix)), {})
    views = torch.rand(2, 1, 3, *SIZE).unbind()
    network = rounded(build_network(name, **changes).eval(), WIDTHS, [views])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.onnx"
        try:
            write_onnx(path, network, SIZE)
        except DisparsityError as error:
            return {"error": str(error)}
        pair = [view[0] for view in views]
        off = np.abs(predict(network, *pair) - open_onnx(path).predict(*pair))
    return {"largest_px": float(off.max()), "mean_px": float(off.mean())}
