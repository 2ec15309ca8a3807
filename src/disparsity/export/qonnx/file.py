"""QONNX file of a network, run once before it replaces an older one."""

from __future__ import annotations

import copy
import functools
from pathlib import Path
from typing import Any

from disparsity.base.atomic_io import write_atomic
from disparsity.base.extras import import_extra
from disparsity.evaluation.sessions.fitting import fit_map, fit_views
from disparsity.evaluation.sessions.metadata import FileMetadata, metadata_of
from disparsity.evaluation.sessions.onnx import new_session
from disparsity.export.format import Format
from disparsity.export.onnx.file import refused
from disparsity.export.parity import blurred_pair, check_parity
from disparsity.export.qonnx.graph import qonnx_graph
from disparsity.stereo.network import StereoNetwork

QUANT = """
<domain: "qonnx.custom_op.general", opset_import: ["" : 21]>
Quant <signed, narrow, rounding_mode> (values, step, zero, bits) => (result) {
    whole_signed = Constant <value_int: int = @signed> ()
    whole_narrow = Constant <value_int: int = @narrow> ()
    sign = Cast <to: int = 1> (whole_signed)
    less = Cast <to: int = 1> (whole_narrow)
    one = Constant <value_float: float = 1.0> ()
    two = Constant <value_float: float = 2.0> ()
    places = Sub (bits, sign)
    codes = Pow (two, places)
    highest = Sub (codes, one)
    magnitude = Sub (codes, less)
    negated = Neg (magnitude)
    lowest = Mul (sign, negated)
    scaled = Div (values, step)
    moved = Add (scaled, zero)
    above = Max (moved, lowest)
    clipped = Min (above, highest)
    rounded = Round (clipped)
    back = Sub (rounded, zero)
    result = Mul (back, step)
}
"""
"""The operator in standard ones, for the check in ONNX Runtime. Grids are full, or signed without the lowest code."""


def write_qonnx(path: Path, network: StereoNetwork, size: tuple[int, int]) -> FileMetadata:
    """Write the network for images of this height and width, padded to its divisor.

    The graph is run once, its `Quant` nodes spelled out, before the file takes the place of what was there.

    Raises:
        InputError: ONNX or ONNX Runtime cannot express an operator (the message names it and its layer), the two
            disagree with torch, or a package of the extra is missing.

    """
    import_extra("onnx", "onnx")
    import_extra("onnxruntime", "onnx")
    metadata = metadata_of(network, size)
    model = qonnx_graph(network, metadata)
    write_atomic(path, functools.partial(_write_checked, model, network, metadata))
    return metadata


def with_quant_spelled_out(model: Any) -> Any:
    """A copy that holds the definition of `Quant`, so that ONNX Runtime can run it."""
    result = copy.deepcopy(model)
    result.functions.append(import_extra("onnx", "onnx").parser.parse_function(QUANT))
    return result


def _write_checked(model: Any, network: StereoNetwork, metadata: FileMetadata, path: Path) -> None:
    onnx = import_extra("onnx", "onnx")
    onnx.save(model, path)
    left, right = blurred_pair(metadata.input_size)
    try:
        session = new_session(with_quant_spelled_out(model).SerializeToString())
        found = fit_map(session.run(None, fit_views(metadata, left, right, path))[0], left)
    except Exception as error:
        raise refused(model, error) from error
    check_parity(found, network, metadata, "ONNX Runtime")


QONNX = Format(write=write_qonnx)
