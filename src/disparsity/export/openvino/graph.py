"""OpenVINO model of a network: our ONNX graph, rewritten with operators that OpenVINO executes exactly and fast."""

from __future__ import annotations

from typing import Any

import numpy as np

from disparsity.base.errors import InputError
from disparsity.base.extras import import_extra
from disparsity.evaluation.sessions.metadata import FileMetadata
from disparsity.export.onnx.calls import CODES, name_calls
from disparsity.export.onnx.graph import LAYER, layer_of, onnx_graph
from disparsity.stereo.network import StereoNetwork

_UINT16_HIGH = 65535


def openvino_graph(network: StereoNetwork, metadata: FileMetadata) -> Any:
    """The ``openvino.Model`` of a network; inputs, output and metadata as in `onnx_graph`.

    Every convolution is named after its layer and call, see `name_calls`.

    Raises:
        InputError: ONNX or OpenVINO cannot express an operator (the message names it and its layer), or a package of
            the extra is missing.

    """
    openvino = import_extra("openvino", "openvino")
    model = onnx_graph(network, metadata)
    name_calls(model.graph)
    sign_weights(model.graph)
    spell_out_wide(model.graph)
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


def spell_out_wide(graph: Any) -> None:
    """Pairs of 16-bit integers as division, rounding, clipping and product, in place.

    OpenVINO removes such pairs and their clipping, so values out of range would give another result.
    """
    onnx = import_extra("onnx", "onnx")
    stored = {item.name: item for item in graph.initializer}
    readers = {node.input[0]: node for node in graph.node if node.op_type == "DequantizeLinear"}
    nodes: list[Any] = []
    for node in graph.node:
        zero_point = stored.get(node.input[2]) if node.op_type == "QuantizeLinear" else None
        if zero_point is not None and zero_point.data_type == onnx.TensorProto.UINT16:
            zero = int(onnx.numpy_helper.to_array(zero_point))
            nodes += _on_grid(onnx, graph, node, readers.pop(node.output[0]), (-zero, _UINT16_HIGH - zero))
        elif node.op_type != "DequantizeLinear" or node.input[0] in readers:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def _on_grid(onnx: Any, graph: Any, pair: Any, reader: Any, ends: tuple[int, int]) -> list[Any]:
    """The nodes in place of one pair."""
    values, step, name = pair.input[0], pair.input[1], reader.output[0]
    codes, rounded, clipped, *limits = (f"{name}.{part}" for part in ("codes", "rounded", "clipped", "low", "high"))
    for limit, end in zip(limits, ends, strict=True):
        graph.initializer.append(onnx.numpy_helper.from_array(np.float32(end), limit))
    made = [
        onnx.helper.make_node("Div", [values, step], [codes]),
        onnx.helper.make_node("Round", [codes], [rounded]),
        onnx.helper.make_node("Clip", [rounded, *limits], [clipped]),
        onnx.helper.make_node("Mul", [clipped, step], [name]),
    ]
    for node in made:
        node.metadata_props.add(key=LAYER, value=layer_of(reader))
    return made


def _refused(graph: Any, error: RuntimeError) -> InputError:
    """The operators that the message names as ``Name-21``, with the layer of the first node of each."""
    words = str(error).replace(",", " ").split()
    named = {node.op_type: node for node in reversed(graph.node) if _mentions(words, node.op_type)}
    places = [f"{operator} in {layer_of(node) or 'the network itself'}" for operator, node in named.items()]
    found = None if places else str(error)
    return InputError("OpenVINO cannot express an operator", where=", ".join(places) or None, found=found)


def _mentions(words: list[str], operator: str) -> bool:
    return any(word.rpartition("-")[0] == operator for word in words)
