"""Writing a network as an ONNX file that was run once before it gets its name."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import torch

from disparsity.errors import InputError
from disparsity.export.facts import FileFacts, facts_of
from disparsity.export.onnx_graph import LAYER, onnx_graph
from disparsity.export.onnx_session import open_onnx
from disparsity.export.packages import import_extra
from disparsity.files import write_atomic
from disparsity.stereo.inference import predict
from disparsity.stereo.network import StereoNetwork

_TOLERANCE = 0.01
"""Mean difference between torch and ONNX Runtime that is accepted, as a share of the largest disparity.

Rounding at a tie moves a code by one where the two runtimes add in another order; a wrong graph is off by far more."""


def write_onnx(path: Path, network: StereoNetwork, size: tuple[int, int]) -> FileFacts:
    """Write the network for images of this height and width, padded to its divisor.

    The file is checked by ``onnx.checker`` and run once on noise before it takes the place of what was there.

    Raises:
        InputError: ONNX or ONNX Runtime cannot express an operator (the message names it and its layer), the two
            disagree with torch, or a package of the extra is missing.

    """
    import_extra("onnx", "onnx")
    import_extra("onnxruntime", "onnx")
    facts = facts_of(network, size)
    model = onnx_graph(network, facts)
    write_atomic(path, functools.partial(_write_checked, model, network, facts))
    return facts


def _write_checked(model: Any, network: StereoNetwork, facts: FileFacts, path: Path) -> None:
    onnx = import_extra("onnx", "onnx")
    onnx.save(model, path)
    onnx.checker.check_model(path, full_check=True)
    noise = torch.rand(2, 3, *facts.input_size, generator=torch.Generator().manual_seed(0))
    try:
        found = open_onnx(path).predict(*noise)
    except Exception as error:
        raise _refused(model, error) from error
    expected = predict(network, *noise)
    difference = float(np.abs(found - expected).mean())
    if not difference <= _TOLERANCE * facts.max_disparity:
        raise InputError("ONNX Runtime and torch disagree", found=f"{difference:g} px on average", where=facts.network)


def _refused(model: Any, error: Exception) -> InputError:
    """What ONNX Runtime refused, with the operator and the layer of the node that it names."""
    named = [node for node in model.graph.node if f"'{node.name}'" in str(error)]
    layers = [entry.value for node in named for entry in node.metadata_props if entry.key == LAYER]
    where = f"{named[0].op_type} in {layers[0] or 'the network itself'}" if named else None
    return InputError("ONNX Runtime cannot run an operator of this network", where=where, found=error)
