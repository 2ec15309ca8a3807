"""A network as an OpenVINO model: our ONNX graph with signed weights, read by OpenVINO."""

from __future__ import annotations

from typing import Any

import numpy as np

from disparsity.errors import InputError
from disparsity.export.calls import CODES, name_calls
from disparsity.export.facts import FileFacts
from disparsity.export.onnx_graph import layer_of, onnx_graph
from disparsity.export.packages import import_extra
from disparsity.stereo.network import StereoNetwork


def openvino_graph(network: StereoNetwork, facts: FileFacts) -> Any:
    """The ``openvino.Model`` of a network; inputs, output and metadata as in `onnx_graph`.

    Every convolution is named after its layer and call, see `name_calls`.

    Raises:
        InputError: ONNX or OpenVINO cannot express an operator (the message names it and its layer), or a package of
            the extra is missing.

    """
    openvino = import_extra("openvino", "openvino")
    model = onnx_graph(network, facts)
    name_calls(model.graph)
    sign_weights(model.graph)
    try:
        return openvino.Core().read_model(model.SerializeToString())
    except RuntimeError as error:
        raise _refused(model.graph, error) from error


def sign_weights(graph: Any) -> None:
    """Weights as signed integers without a zero point, in place: OpenVINO has integer kernels for these alone.

    A zero point of 0 is left out, too: 31 of StereoNet's 36 convolutions, which shared one, ran in float.
    """
    numpy_helper = import_extra("onnx", "onnx").numpy_helper
    stored = {item.name: item for item in graph.initializer}
    nodes = [node for node in graph.node if node.input and node.input[0].endswith(CODES)]
    unsigned = {node.input[0]: stored[node.input[2]] for node in nodes if len(node.input) > 2}
    for codes, point in unsigned.items():
        zero = numpy_helper.to_array(point).astype(np.int32)[0]
        values = numpy_helper.to_array(stored[codes])
        if zero:
            stored[codes].CopyFrom(numpy_helper.from_array((values.astype(np.int32) - zero).astype(np.int8), codes))
    for node in nodes:
        del node.input[2:]
    for item in graph.value_info:
        if item.name in unsigned:
            item.type.tensor_type.elem_type = stored[item.name].data_type


def _refused(graph: Any, error: RuntimeError) -> InputError:
    """The operators that the message names as ``Name-21``, with the layer of the first node of each."""
    words = str(error).replace(",", " ").split()
    named = {node.op_type: node for node in reversed(graph.node) if _mentions(words, node.op_type)}
    places = [f"{operator} in {layer_of(node) or 'the network itself'}" for operator, node in named.items()]
    found = None if places else str(error)
    return InputError("OpenVINO cannot express an operator", where=", ".join(places) or None, found=found)


def _mentions(words: list[str], operator: str) -> bool:
    return any(word.rpartition("-")[0] == operator for word in words)
