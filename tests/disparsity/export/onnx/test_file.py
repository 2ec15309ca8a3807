"""What is in an exported file, and that a file that fails its check never takes the place of another."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from disparsity.base.errors import InputError
from disparsity.checkpoint.restore import open_network
from disparsity.export.onnx import file as writer
from disparsity.quant.attach import input_quantizer, quantized_layers, weight_quantizer

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def test_versions_and_operators(onnx_file: Path, deployable: Path) -> None:
    model = onnx.load(onnx_file)
    onnx.checker.check_model(model, full_check=True)
    assert (model.ir_version, [(each.domain, each.version) for each in model.opset_import]) == (10, [("", 21)])
    inputs = [(each.name, [axis.dim_value for axis in each.type.tensor_type.shape.dim]) for each in model.graph.input]
    assert inputs == [("left", [1, 3, 32, 64]), ("right", [1, 3, 32, 64])]
    assert [each.name for each in model.graph.output] == ["disparity"]
    operators = Counter(node.op_type for node in model.graph.node)
    layers = quantized_layers(open_network(str(deployable), None)).values()
    calls = operators["Conv"] + operators["ConvTranspose"]
    assert operators["QuantizeLinear"] == calls >= len(layers)
    assert operators["DequantizeLinear"] == 2 * calls


def test_steps_and_codes_are_the_trained_ones(onnx_file: Path, deployable: Path) -> None:
    stored = {each.name: onnx.numpy_helper.to_array(each) for each in onnx.load(onnx_file).graph.initializer}
    layers = quantized_layers(open_network(str(deployable), None))
    scales = {name.removesuffix(".weight.codes") for name in stored if name.endswith(".weight.codes")}
    assert scales == set(layers)
    for name, layer in layers.items():
        quantizer, activation = weight_quantizer(layer), input_quantizer(layer)
        assert quantizer is not None
        assert activation is not None
        codes = stored[f"{name}.weight.codes"]
        weight = layer.weight.detach().numpy()  # type: ignore[operator, union-attr]
        zero = 128 if codes.dtype == np.uint8 else 0
        np.testing.assert_array_equal(codes == zero, weight == 0)
        steps = quantizer.steps().float().numpy()
        assert any(np.array_equal(value, steps) for value in stored.values())
        assert any(value.shape == () and value == activation.step().float().numpy() for value in stored.values())


def test_nodes_name_their_layer_and_nothing_of_this_machine(onnx_file: Path) -> None:
    nodes = onnx.load(onnx_file).graph.node
    named = {entry.value for node in nodes for entry in node.metadata_props if entry.key == "layer"}
    assert {"downsampling.0", "downsampling.0.input_quantizer", "cost_volume_filter.4"} <= named
    assert os.fsencode(str(Path(__file__).parents[4])) not in onnx_file.read_bytes()


def renamed(model: Any) -> Any:
    model.graph.node[-1].op_type = "Nonsense"
    return model


def in_sixteen_bits(model: Any) -> Any:
    """The output goes through the error function in bfloat16, which ONNX has and ONNX Runtime has not."""
    model.graph.node[-1].output[0] = "before"
    bfloat16, float32 = onnx.TensorProto.BFLOAT16, onnx.TensorProto.FLOAT
    model.graph.node.extend(
        [
            onnx.helper.make_node("Cast", ["before"], ["half"], to=bfloat16),
            onnx.helper.make_node("Erf", ["half"], ["rectified"], name="last_erf"),
            onnx.helper.make_node("Cast", ["rectified"], ["disparity"], to=float32),
        ]
    )
    model.graph.node[-2].metadata_props.add(key="layer", value="refine.last")
    return model


def shifted(model: Any) -> Any:
    model.graph.node[-1].output[0] = "before"
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(5), "five"))
    model.graph.node.append(onnx.helper.make_node("Add", ["before", "five"], ["disparity"]))
    return model


@pytest.mark.parametrize(("damage", "message"), [
    (renamed, "ONNX Runtime cannot run this network.*Nonsense"),
    (in_sixteen_bits, "Erf in refine.last: ONNX Runtime cannot run this network"),
    (shifted, "torch disagree; found .* px on average"),
])  # fmt: skip
def test_a_file_that_fails_its_check_is_not_written(
    monkeypatch: pytest.MonkeyPatch,
    onnx_file: Path,
    deployable: Path,
    tmp_path: Path,
    damage: Callable[[Any], Any],
    message: str,
) -> None:
    monkeypatch.setattr(writer, "onnx_graph", lambda *_: damage(onnx.load(onnx_file)))
    out = tmp_path / "network.onnx"
    out.write_text("mine")
    with pytest.raises(InputError, match=message):
        writer.write_onnx(out, open_network(str(deployable), None), (30, 61))
    assert [path.name for path in tmp_path.iterdir()] == ["network.onnx"]
    assert out.read_text() == "mine"
