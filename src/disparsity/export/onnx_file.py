"""Writing a network as an ONNX file that was run once before it gets its name."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from disparsity.errors import InputError
from disparsity.export.facts import FileFacts, facts_of
from disparsity.export.onnx_graph import LAYER, onnx_graph
from disparsity.export.onnx_session import open_onnx
from disparsity.export.packages import import_extra
from disparsity.files import write_atomic
from disparsity.stereo.inference import predict
from disparsity.stereo.network import StereoNetwork

_TOLERANCE, _TOLERANCE_QUANTIZED = 0.001, 0.05
"""Mean difference between torch and ONNX Runtime that is accepted, as a share of the largest disparity.

A value beside a tie may get the other code where the two add in another order. A network that was hardly trained
amplifies one such code on noise: 1.6 % were seen, which a bias changed by 1e-5 gives in torch, too."""

_BLUR, _SHIFT_PX = 8, 4


def write_onnx(path: Path, network: StereoNetwork, size: tuple[int, int]) -> FileFacts:
    """Write the network for images of this height and width, padded to its divisor.

    The file is checked by ``onnx.checker`` and run once before it takes the place of what was there.

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
    views = _blurred_pair(facts.input_size)
    try:
        onnx.checker.check_model(path, full_check=True)
        found = open_onnx(path).predict(*views)
    except Exception as error:
        raise _refused(model, error) from error
    expected = predict(network, *views)
    difference = float(np.abs(found - expected).mean())
    tolerance = _TOLERANCE_QUANTIZED if facts.stage == "quantized" else _TOLERANCE
    if not difference <= tolerance * facts.max_disparity:
        raise InputError("ONNX Runtime and torch disagree", found=f"{difference:g} px on average", where=facts.network)


def _blurred_pair(size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Blurred noise ``[3, H, W]`` and the same shifted to the left by a few pixels."""
    coarse = torch.rand(1, 3, *(length // _BLUR + 2 for length in size), generator=torch.Generator().manual_seed(0))
    left = F.interpolate(coarse, size=size, mode="bilinear", align_corners=False)[0]
    return left, left.roll(-_SHIFT_PX, dims=-1)


def _refused(model: Any, error: Exception) -> InputError:
    """What the checker or ONNX Runtime refused, with the operator and the layer of the node that it names."""
    mentioned = set(re.findall(r"[\w./:]+", str(error)))
    named = [node for node in model.graph.node if node.name in mentioned]
    layers = [entry.value for node in named for entry in node.metadata_props if entry.key == LAYER]
    where = f"{named[0].op_type} in {layers[0] or 'the network itself'}" if named else None
    return InputError("ONNX Runtime cannot run this network", where=where, found=error)
