"""QONNX graph of a network: one `Quant` node for each pair of QuantizeLinear and DequantizeLinear.

A `Quant` node holds the width in bits itself and gives floats on the integer grid; weights are stored as such floats.
Source: Pappalardo et al., QONNX: Representing Arbitrary-Precision Quantized Neural Networks, AccML 2022. It adds the
zero point before it rounds, where torch and QuantizeLinear round first: with an odd zero point, exact ties go to the
other side. A sign (1 bit) is written as 2 bits, since a pruned weight is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from disparsity.base.extras import import_extra
from disparsity.evaluation.sessions.metadata import FileMetadata
from disparsity.export.onnx.calls import CODES, name_calls
from disparsity.export.onnx.graph import LAYER, layer_of, onnx_graph
from disparsity.quant.attach import quantized_layers, weight_quantizer
from disparsity.stereo.network import StereoNetwork

DOMAIN = "qonnx.custom_op.general"
_SIGN_BITS = 2


def qonnx_graph(network: StereoNetwork, metadata: FileMetadata) -> Any:
    """The ``onnx.ModelProto``; inputs, output and metadata as in `onnx_graph`, convolutions named by `name_calls`.

    Raises:
        InputError: ONNX cannot express an operator (the message names it and its layer), an activation quantizer was
            not calibrated, or a package of the extra is missing.

    """
    model = onnx_graph(network, metadata)
    name_calls(model.graph)
    quantizers = {name: weight_quantizer(layer) for name, layer in quantized_layers(network).items()}
    bits = {name: max(_SIGN_BITS, each.levels.code_bits) for name, each in quantizers.items() if each is not None}
    replace_pairs(model, bits)
    return model


def replace_pairs(model: Any, weight_bits: Mapping[str, int]) -> None:
    """Put `Quant` nodes in place of all pairs, in place.

    Args:
        model: as `onnx_graph` makes it.
        weight_bits: of the integer weights, by layer.

    """
    onnx = import_extra("onnx", "onnx")
    graph, writer = model.graph, _Writer(onnx, model.graph)
    producers = {name: node for node in graph.node for name in node.output}
    nodes, dropped = [], set()
    for node in graph.node:
        if node.op_type != "DequantizeLinear":
            nodes.append(node)
        elif node.input[0].endswith(CODES):
            nodes.append(writer.weight(node, weight_bits[node.input[0].removesuffix(CODES)]))
        else:
            pair = producers[node.input[0]]
            clip = producers.get(pair.input[0])
            clip = clip if clip is not None and clip.op_type == "Clip" else None
            dropped |= {each.name for each in (pair, clip) if each is not None}
            nodes.append(writer.activation(node, pair, clip))
    del graph.node[:]
    graph.node.extend(node for node in nodes if node.name not in dropped)
    _forget_unused(graph)
    model.opset_import.add(domain=DOMAIN, version=1)


class _Writer:
    """Makes `Quant` nodes, and the constants that they read, in a graph."""

    def __init__(self, onnx: Any, graph: Any) -> None:
        self._onnx, self._graph = onnx, graph
        self._stored = {item.name: item for item in graph.initializer}

    def weight(self, node: Any, bits: int) -> Any:
        """In place of the DequantizeLinear of a weight: the same floats, which the node leaves as they are."""
        codes, steps, zeros = (self._values(name) for name in node.input)
        axis = next((each.i for each in node.attribute if each.name == "axis"), 1)
        shape = [-1 if index == axis else 1 for index in range(codes.ndim)]
        integers = codes.astype(np.int32) - zeros.astype(np.int32).reshape(shape)
        name, steps = node.input[0].removesuffix(".codes"), steps.reshape(shape)
        values = self._constant(name, integers.astype(np.float32) * steps)
        return self._quant(node, [values, self._constant(f"{name}.step", steps), self._scalar("zero", 0)], bits, 1, 1)

    def activation(self, node: Any, pair: Any, clip: Any) -> Any:
        """In place of a QuantizeLinear, its DequantizeLinear and the Clip to narrower grids than a container's."""
        steps, zero_point = (self._values(name) for name in pair.input[1:])
        zero, values = int(zero_point), clip.input[0] if clip is not None else pair.input[0]
        count = np.iinfo(zero_point.dtype).max + 1
        if clip is not None:
            low, high = (round(float(self._values(name)) / float(steps)) for name in clip.input[1:])
            count = high - low + 1
        bits = count.bit_length() - 1
        signed = int(zero == count // 2)
        offset = self._scalar("zero", 0 if signed else zero)
        return self._quant(node, [values, pair.input[1], offset], bits, signed, 0)

    def _quant(self, node: Any, inputs: list[str], bits: int, signed: int, narrow: int) -> Any:
        inputs = [*inputs, self._scalar("bits", bits)]
        options = {"signed": signed, "narrow": narrow, "rounding_mode": "ROUND"}
        made = self._onnx.helper.make_node("Quant", inputs, node.output, node.name, domain=DOMAIN, **options)
        made.metadata_props.add(key=LAYER, value=layer_of(node))
        return made

    def _values(self, name: str) -> Any:
        return self._onnx.numpy_helper.to_array(self._stored[name])

    def _scalar(self, kind: str, value: int) -> str:
        return self._constant(f"quant.{kind}.{value}", np.array(value, np.float32))

    def _constant(self, name: str, values: Any) -> str:
        if name not in self._stored:
            self._graph.initializer.append(self._onnx.numpy_helper.from_array(values.astype(np.float32), name))
            self._stored[name] = self._graph.initializer[-1]
        return name


def _forget_unused(graph: Any) -> None:
    """Drop constants without readers, and shape entries of values that no longer exist."""
    read = {name for node in graph.node for name in node.input}
    made = {name for node in graph.node for name in node.output}
    kept = [item for item in graph.initializer if item.name in read]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    stored = {item.name for item in kept}
    known = [item for item in graph.value_info if item.name in made and item.name not in stored]
    del graph.value_info[:]
    graph.value_info.extend(known)
