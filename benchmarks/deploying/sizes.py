"""Bytes on disk of every export, made for small images, which changes little."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from deploying.networks import Deployed
from disparsity.checkpoint.packed import write_network
from disparsity.export.onnx.file import write_onnx
from disparsity.export.openvino.folder import write_openvino
from disparsity.export.qonnx.file import write_qonnx
from disparsity.export.rtl.folder import write_rtl

SIZE = (64, 128)


class Writer(NamedTuple):
    """How an export is written, and whether it takes quantized networks only."""

    write: Callable[..., object]
    integers_only: bool = False


WRITERS = {
    "packed": Writer(lambda path, network, _: write_network(path, network)),
    "onnx": Writer(write_onnx),
    "openvino": Writer(write_openvino),
    "qonnx": Writer(write_qonnx, integers_only=True),
    "rtl without vectors": Writer(write_rtl, integers_only=True),
}


def size(found: Deployed, kind: str) -> dict[str, Any]:
    """Bytes of one export; the golden vectors of RTL, which grow with the image, are left out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        WRITERS[kind].write(path, found.network, SIZE)
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        return {"bytes": sum(file.stat().st_size for file in files if not file.name.startswith("call"))}
