"""The file's check before it gets its name, and the operator spelled out for it against the package's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.checkpoint.restore import open_network
from disparsity.evaluation.sessions.metadata import from_metadata
from disparsity.evaluation.sessions.onnx import new_session
from disparsity.export.qonnx import file as writer
from disparsity.export.qonnx import graph as qonnx_graph
from disparsity.export.qonnx.graph import DOMAIN

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
HELPER = onnx.helper


@pytest.mark.parametrize(("bits", "signed", "narrow", "zero"), [
    (8, 1, 1, 0), (8, 1, 0, 0), (8, 0, 0, 0), (4, 0, 0, 6), (2, 1, 1, 0), (16, 0, 0, 300), (3, 1, 0, 0),
])  # fmt: skip
def test_the_operator_spelled_out_is_the_packages(bits: int, signed: int, narrow: int, zero: int) -> None:
    quant = pytest.importorskip("qonnx.custom_op.general.intquant").int_quant
    values = torch.randn(500, generator=torch.Generator().manual_seed(bits)).numpy() * 2**bits
    step, numbers = np.float32(0.37), [np.float32(zero), np.float32(bits)]
    expected = quant(values, step, *numbers, signed, narrow, "ROUND")
    options = {"signed": signed, "narrow": narrow, "rounding_mode": "ROUND"}
    node = HELPER.make_node("Quant", ["values", "step", "zero", "bits"], ["result"], domain=DOMAIN, **options)
    named = zip(("step", "zero", "bits"), (step, *numbers), strict=True)
    stored = [onnx.numpy_helper.from_array(np.array(value, np.float32), name) for name, value in named]
    ends = [HELPER.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [500]) for name in ("values", "result")]
    graph = HELPER.make_graph([node], "one", ends[:1], ends[1:], stored)
    imports = [HELPER.make_opsetid("", 21), HELPER.make_opsetid(DOMAIN, 1)]
    model = writer.with_quant_spelled_out(HELPER.make_model(graph, opset_imports=imports, ir_version=10))
    found = new_session(model.SerializeToString()).run(None, {"values": values})[0]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert len(np.unique(found)) > 2


@pytest.fixture
def graph_of_the_fixture(monkeypatch: pytest.MonkeyPatch, onnx_file: Path) -> None:
    monkeypatch.setattr(qonnx_graph, "onnx_graph", lambda *_: onnx.load(onnx_file))


@pytest.mark.usefixtures("graph_of_the_fixture")
def test_the_file_holds_the_facts_and_no_helper_of_the_check(deployable: Path, tmp_path: Path) -> None:
    out = tmp_path / "network.onnx"
    metadata = writer.write_qonnx(out, open_network(str(deployable), None), (30, 61))
    model = onnx.load(out)
    assert from_metadata({each.key: each.value for each in model.metadata_props}, out) == metadata
    assert len(model.functions) == 0
    assert {node.op_type for node in model.graph.node} & {"QuantizeLinear", "DequantizeLinear"} == set()
    assert [path.name for path in tmp_path.iterdir()] == ["network.onnx"]


@pytest.mark.usefixtures("graph_of_the_fixture")
def test_a_file_that_fails_its_check_is_not_written(
    monkeypatch: pytest.MonkeyPatch, deployable: Path, tmp_path: Path
) -> None:
    network, out = open_network(str(deployable), None), tmp_path / "network.onnx"
    out.write_text("mine")
    monkeypatch.setattr(writer, "QUANT", writer.QUANT.replace("Mul (back, step)", "Mul (back, zero)"))
    with pytest.raises(InputError, match="torch disagree"):
        writer.write_qonnx(out, network, (30, 61))
    monkeypatch.setattr(writer, "QUANT", writer.QUANT.replace("Round", "Nonsense"))
    with pytest.raises(InputError, match=r"ONNX Runtime cannot run this network.*Nonsense"):
        writer.write_qonnx(out, network, (30, 61))
    assert out.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["network.onnx"]
