"""QONNX graphs as the `qonnx` package takes them: its execution against torch, its cost analysis against our MACs."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from disparsity.checkpoint.restore import open_network
from disparsity.evaluation.sessions.metadata import metadata_of
from disparsity.export.onnx.qdq import OPSET, qdq_form
from disparsity.export.qonnx import graph
from disparsity.export.qonnx.graph import DOMAIN, qonnx_graph, replace_pairs
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.quant.attach import attach_quantizers, input_quantizer, quantized_layers, weight_quantizer
from disparsity.quant.bits import LayerBits
from disparsity.quant.grids.codes import integer_codes
from disparsity.stereo.inference import predict

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
KINDS = {
    "plain": (nn.Conv2d(4, 6, 3, padding=1), 8, 8, 0),
    "signed": (nn.Conv2d(4, 6, 3, stride=2), 5, 8, -128),
    "offset": (nn.Conv2d(4, 6, 3, groups=2), 4, 8, -36),
    "few_codes": (nn.Conv2d(4, 6, 3), 3, 4, -8),
    "ternary": (nn.Conv2d(4, 6, 3), 2, 2, 0),
    "wide": (nn.Conv2d(4, 6, 3), 12, 16, -32768),
    "ten_bits": (nn.Conv2d(4, 6, 3), 8, 10, -100),
    "float_input": (nn.Conv2d(4, 6, 3), 5, 32, 0),
    "conv3d": (nn.Conv3d(4, 6, 3, padding=1), 4, 8, -20),
    "transposed": (nn.ConvTranspose2d(4, 6, 3, stride=2), 4, 8, -9),
    "transposed_deep": (nn.ConvTranspose3d(4, 6, 3, stride=2, padding=1), 4, 6, -2),
}
"""Layers with their widths and the lowest code of their input."""


@pytest.fixture(autouse=True)
def _versions_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package runs nodes as models of the newest IR version, which the newest ONNX Runtime does not read yet."""
    monkeypatch.setattr(onnx, "IR_VERSION", 10)


class Bench(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleDict({name: kind[0] for name, kind in KINDS.items()})

    def forward(self, flat: Tensor, deep: Tensor) -> tuple[Tensor, ...]:
        deep_kinds = (nn.Conv3d, nn.ConvTranspose3d)
        return tuple(layer(deep if isinstance(layer, deep_kinds) else flat) for layer in self.layers.values())


def run(model: Any, inputs: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    core = pytest.importorskip("qonnx.core.onnx_exec")
    wrapper = pytest.importorskip("qonnx.core.modelwrapper").ModelWrapper
    shapes = pytest.importorskip("qonnx.transformation.infer_shapes").InferShapes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own use of what numpy and onnx deprecate
        return core.execute_onnx(wrapper(model).transform(shapes()), inputs)


def test_every_kind_of_grid_runs_in_the_package_as_in_torch() -> None:
    torch.manual_seed(0)
    bench = Bench().eval()
    for parameter in bench.parameters():
        nn.init.uniform_(parameter, -1, 1)
    bits = {f"layers.{name}": LayerBits(weights=w, activations=a) for name, (_, w, a, _) in KINDS.items()}
    attach_quantizers(bench, bits)
    for layer, _, activations, low in KINDS.values():
        quantizer = input_quantizer(layer)
        if quantizer is not None:
            quantizer.low = low
            quantizer.set_step(6.0 / 2**activations)
    views = torch.randn(2, 4, 8, 9), torch.randn(1, 4, 4, 6, 5)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        expected = bench(*views)
        program = torch.onnx.export(
            qdq_form(bench),
            views,
            dynamo=True,
            opset_version=OPSET,
            input_names=["flat", "deep"],
            output_names=[*KINDS],
        )
    assert program is not None
    model = program.model_proto
    for item in (*model.graph.initializer, *model.graph.value_info):
        item.name = renamed(item.name)
    for node in model.graph.node:
        node.input[:] = [renamed(name) for name in node.input]
    replace_pairs(model, {f"layers.{name}": kind[1] for name, kind in KINDS.items()})
    operators = Counter(node.op_type for node in model.graph.node)
    assert operators == {"Quant": 2 * len(KINDS) - 1, "Conv": len(KINDS) - 2, "ConvTranspose": 2}
    found = run(model, {"flat": views[0].numpy(), "deep": views[1].numpy()})
    for name, ours in zip(KINDS, expected, strict=True):
        assert np.abs(found[name] - ours.numpy()).max() <= 1e-4 * np.ptp(ours.numpy()), name


def renamed(name: str) -> str:
    return name.replace(".parametrizations.weight.0", ".weight").replace(".parametrizations.weight.original", ".weight")


@pytest.fixture(scope="module")
def exported(onnx_file: Path, deployable: Path) -> Any:
    network = open_network(str(deployable), None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph, "onnx_graph", lambda *_: onnx.load(onnx_file))
        return qonnx_graph(network, metadata_of(network, (30, 61)))


def test_weights_are_what_was_trained_with_their_width(exported: Any, deployable: Path) -> None:
    stored = {each.name: onnx.numpy_helper.to_array(each) for each in exported.graph.initializer}
    nodes = {node.input[0]: node for node in exported.graph.node if node.op_type == "Quant"}
    assert {node.domain for node in nodes.values()} == {DOMAIN}
    layers = quantized_layers(open_network(str(deployable), None))
    for name, layer in layers.items():
        node, quantizer = nodes[f"{name}.weight"], weight_quantizer(layer)
        assert quantizer is not None
        codes, steps = integer_codes(layer)
        values = codes.numpy() * steps.float().numpy().reshape(-1, *[1] * (codes.dim() - 1))
        np.testing.assert_array_equal(stored[f"{name}.weight"], values.astype(np.float32))
        assert stored[node.input[3]] == quantizer.bits
        assert {each.name: each.i for each in node.attribute if each.name != "rounding_mode"} == {
            "signed": 1,
            "narrow": 1,
        }
    onnx.checker.check_model(exported)


def test_a_whole_network_runs_in_the_package_as_in_torch(exported: Any, deployable: Path) -> None:
    left, right = torch.rand(2, 1, 3, 32, 64, generator=torch.Generator().manual_seed(1)).numpy()
    found = run(exported, {"left": left, "right": right})["disparity"][0]
    expected = predict(open_network(str(deployable), None), torch.from_numpy(left[0]), torch.from_numpy(right[0]))
    difference = np.abs(found - expected) / np.ptp(expected)
    assert np.median(difference) < 1e-4
    assert difference.max() < 5e-3  # a code may differ by one at a tie


@pytest.mark.slow
def test_macs_of_the_package_are_ours(exported: Any, deployable: Path) -> None:
    """The package knows no ConvTranspose and lists it as unsupported; this network has none."""
    cost = pytest.importorskip("qonnx.util.inference_cost").inference_cost
    wrapper = pytest.importorskip("qonnx.core.modelwrapper").ModelWrapper
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = cost(wrapper(exported), discount_sparsity=False, cost_breakdown=True)
    network = open_network(str(deployable), None)
    calls = trace_workload(network, (torch.zeros(1, 3, 32, 64), torch.zeros(1, 3, 32, 64))).calls
    ours = sum(call.dense_macs for call in calls if call.kind in ("Conv2d", "Conv3d"))
    assert found["optype_cost"]["Conv"]["total_macs"] == ours
    assert "ConvTranspose" not in found["total_cost"]["unsupported"]
    layers = quantized_layers(network).values()
    weights = sum(layer.weight.numel() * quantizer.bits for layer in layers if (quantizer := weight_quantizer(layer)))  # type: ignore[operator, union-attr]
    assert found["optype_cost"]["Conv"]["total_mem_w_bits"] == weights
