"""Parity: a runtime's maps and error on real pairs against those of torch."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from deploying.networks import Deployed
from disparsity.checkpoint.packed import write_network
from disparsity.evaluation.runtimes import Estimate
from disparsity.evaluation.sessions.onnx import open_onnx
from disparsity.evaluation.sessions.openvino import open_openvino
from disparsity.export.onnx.file import write_onnx
from disparsity.export.openvino.folder import write_openvino
from disparsity.quant.integer.network import integer_form
from disparsity.stereo.inference import predict

UNGUARDED = "openvino, sums not kept from saturating"
RUNTIMES = {"onnxruntime": False, "openvino": False, UNGUARDED: True, "integer": True}
"""By name: whether only quantized networks run in it."""
VISIBLE_PX = 0.1


def parity(found: Deployed, runtime: str) -> dict[str, Any]:
    """Errors of both, differences of their maps over all pixels, and bytes on disk."""
    epe, maps = found.evaluated(functools.partial(predict, found.network))
    with tempfile.TemporaryDirectory() as folder:
        packed = write_network(Path(folder) / "packed.h5", found.network)
        estimate, size = _opened(found, runtime, Path(folder))
        other_epe, others = found.evaluated(estimate)
    off = np.concatenate([np.abs(a - b).ravel() for a, b in zip(maps, others, strict=True)])
    return {
        "images": "x".join(map(str, found.size)),
        "pairs": len(maps),
        "epe_torch_px": epe,
        "epe_runtime_px": other_epe,
        "largest_px": float(off.max()),
        "mean_px": float(off.mean()),
        "off_percent": float(100 * (off > VISIBLE_PX).mean()),
        "bytes": size,
        "packed_bytes": packed,
    }


def _opened(found: Deployed, runtime: str, folder: Path) -> tuple[Estimate, int | None]:
    if runtime == "integer":
        return functools.partial(predict, integer_form(found.network)), None
    if runtime == "onnxruntime":
        file = folder / "network.onnx"
        write_onnx(file, found.network, found.size)
        return open_onnx(file).predict, file.stat().st_size
    directory = folder / "network"
    write_openvino(directory, found.network, found.size)
    opened = open_openvino(directory, saturating=False if runtime == UNGUARDED else None)
    return opened.predict, sum(path.stat().st_size for path in directory.iterdir())
