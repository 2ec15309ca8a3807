"""Names of convolutions, from the weights they read."""

from __future__ import annotations

import numpy as np
import pytest

from disparsity.evaluation.sessions.kernels import call_of
from disparsity.export.onnx.calls import name_calls

onnx = pytest.importorskip("onnx")


def test_every_call_is_numbered_whether_its_weight_is_coded_or_plain() -> None:
    node, tensor = onnx.helper.make_node, onnx.numpy_helper.from_array
    nodes = [
        node("DequantizeLinear", ["a.weight.codes", "scale", "zero"], ["dequantized"]),
        node("Conv", ["left", "dequantized"], ["1"], name="one"),
        node("Conv", ["right", "dequantized"], ["2"], name="two"),
        node("ConvTranspose", ["2", "b.0.weight"], ["3"], name="three"),
        node("Relu", ["3"], ["4"], name="rectify"),
        node("Conv", ["4", "elsewhere"], ["5"], name="four"),
    ]
    nodes[-1].metadata_props.add(key="layer", value="c")
    stored = [tensor(np.zeros(1, np.int8), "a.weight.codes"), tensor(np.zeros(1, np.float32), "b.0.weight")]
    graph = onnx.helper.make_graph(nodes, "graph", [], [], stored)
    name_calls(graph)
    assert [each.name for each in graph.node[1:]] == ["a#0", "a#1", "b.0#0", "rectify", "c#0"]
    assert [call_of(graph.node[index].name) for index in (2, 3)] == [("a", 1), ("b.0", 0)]
    assert [call_of(name) for name in ("Convolution_27", "a#b", "#3")] == [None, None, ("", 3)]
