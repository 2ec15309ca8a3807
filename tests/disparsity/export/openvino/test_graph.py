"""What OpenVINO is given: signed weights of the same values, names of calls, and operators that it lacks by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from disparsity.base.errors import InputError
from disparsity.checkpoint.restore import open_network
from disparsity.evaluation.sessions.metadata import metadata_of
from disparsity.export.openvino import graph as module

onnx = pytest.importorskip("onnx")
pytest.importorskip("openvino")


def stored(model: Any) -> dict[str, Any]:
    return {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}


def test_weights_become_signed_without_changing_their_value(onnx_file: Path) -> None:
    model = onnx.load(onnx_file)
    before = stored(model)
    module.sign_weights(model.graph)
    after = stored(model)
    unsigned = [name for name in before if name.endswith(".weight.codes") and before[name].dtype == np.uint8]
    assert len(unsigned) >= 2
    points = {node.input[0]: node.input[2] for node in onnx.load(onnx_file).graph.node if len(node.input) == 3}
    nodes = [node for node in model.graph.node if node.input and node.input[0].endswith(".weight.codes")]
    for codes, _ in (node.input for node in nodes):
        assert after[codes].dtype == np.int8
        zeros = before[points[codes]].astype(int).reshape(-1, *[1] * (before[codes].ndim - 1))
        np.testing.assert_array_equal(before[codes] - zeros, after[codes])
    untouched = [name for name in before if not name.endswith(".weight.codes")]
    assert all(np.array_equal(before[name], after[name]) for name in untouched)
    onnx.checker.check_model(model, full_check=True)


@pytest.mark.parametrize(("kind", "zero"), [(np.uint16, 2048), (np.uint16, 0), (np.uint8, 37)])
def test_inputs_out_of_range_are_clipped(kind: type, zero: int) -> None:
    """OpenVINO by itself leaves pairs of 16 bits out, clipping and all."""
    node, tensor = onnx.helper.make_node, onnx.numpy_helper.from_array
    step, high = np.float32(0.5), np.iinfo(kind).max
    nodes = [
        node("QuantizeLinear", ["left", "step", "zero"], ["codes"]),
        node("DequantizeLinear", ["codes", "step", "zero"], ["values"]),
        node("Conv", ["values", "weight"], ["disparity"]),
    ]
    weight = np.random.default_rng(0).standard_normal((2, 3, 1, 1)).astype(np.float32)
    stored = [tensor(np.array(step), "step"), tensor(np.array(zero, kind), "zero"), tensor(weight, "weight")]
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, channels, 4, 5])
        for name, channels in (("left", 3), ("disparity", 2))
    ]
    graph = onnx.helper.make_graph(nodes, "graph", ends[:1], ends[1:], stored)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10)
    module.spell_out_wide(model.graph)
    onnx.checker.check_model(model, full_check=True)
    left = (np.random.default_rng(1).uniform(-1, 1, (1, 3, 4, 5)) * 2 * high * step).astype(np.float32)
    codes = np.clip(np.rint(left / step), -zero, high - zero)
    expected = np.einsum("oi,nihw->nohw", weight[:, :, 0, 0], codes * step)
    core = pytest.importorskip("openvino").Core()
    compiled = core.compile_model(
        core.read_model(model.SerializeToString()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    np.testing.assert_allclose(compiled(left)[0], expected, atol=1e-5 * np.abs(expected).max())


def unknown(model: Any) -> Any:
    model.graph.node[-1].op_type = "Det"
    model.graph.node[-1].metadata_props[0].value = "refine.last"
    return model


def damaged(model: Any) -> Any:
    model.graph.node[-1].input[0] = "nothing"
    return model


@pytest.mark.parametrize(("change", "message"), [
    (unknown, "Det in refine.last: OpenVINO cannot express an operator$"),
    (damaged, "OpenVINO cannot express an operator; found .*nothing"),
])  # fmt: skip
def test_what_openvino_cannot_express_is_named(
    monkeypatch: pytest.MonkeyPatch, onnx_file: Path, deployable: Path, change: Callable[[Any], Any], message: str
) -> None:
    monkeypatch.setattr(module, "onnx_graph", lambda *_: change(onnx.load(onnx_file)))
    network = open_network(str(deployable), None)
    with pytest.raises(InputError, match=message):
        module.openvino_graph(network, metadata_of(network, (30, 61)))
