"""ONNX file of a network, run once before it replaces an older one."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

from disparsity.base.atomic_io import write_atomic
from disparsity.base.errors import InputError
from disparsity.base.extras import import_extra
from disparsity.evaluation.sessions.metadata import FileMetadata, metadata_of
from disparsity.evaluation.sessions.onnx import open_onnx
from disparsity.export.format import Format
from disparsity.export.onnx.graph import layer_of, onnx_graph
from disparsity.export.parity import blurred_pair, check_parity
from disparsity.stereo.network import StereoNetwork


def write_onnx(path: Path, network: StereoNetwork, size: tuple[int, int]) -> FileMetadata:
    """Write the network for images of this height and width, padded to its divisor.

    The file is checked by ``onnx.checker`` and run once before it takes the place of what was there.

    Raises:
        InputError: ONNX or ONNX Runtime cannot express an operator (the message names it and its layer), the two
            disagree with torch, or a package of the extra is missing.

    """
    import_extra("onnx", "onnx")
    import_extra("onnxruntime", "onnx")
    metadata = metadata_of(network, size)
    model = onnx_graph(network, metadata)
    write_atomic(path, functools.partial(_write_checked, model, network, metadata))
    return metadata


def _write_checked(model: Any, network: StereoNetwork, metadata: FileMetadata, path: Path) -> None:
    onnx = import_extra("onnx", "onnx")
    onnx.save(model, path)
    views = blurred_pair(metadata.input_size)
    try:
        onnx.checker.check_model(path, full_check=True)
        found = open_onnx(path).predict(*views)
    except Exception as error:
        raise refused(model, error) from error
    check_parity(found, network, metadata, "ONNX Runtime")


def refused(model: Any, error: Exception) -> InputError:
    """What the checker or ONNX Runtime refused, with the operator and the layer of the node that it names."""
    mentioned = set(re.findall(r"[\w./:]+", str(error)))
    named = [node for node in model.graph.node if node.name in mentioned]
    where = f"{named[0].op_type} in {layer_of(named[0]) or 'the network itself'}" if named else None
    return InputError("ONNX Runtime cannot run this network", where=where, found=error)


ONNX = Format(write=write_onnx)
