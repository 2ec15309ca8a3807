"""Every kind of layer, bit width and grid: what ONNX Runtime computes from the QDQ form is what was trained."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.export.onnx.qdq import OPSET, InputQdq, qdq_form
from disparsity.pruning.masks import attach_masks, set_masks
from disparsity.quant.attach import attach_quantizers, input_quantizer
from disparsity.quant.bits import LayerBits
from disparsity.quant.quantizers.lsq import LsqActivation
from disparsity.quant.quantizers.registry import QUANTIZERS

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


@dataclass(frozen=True)
class Kind:
    """A layer with its widths, and the lowest code of its input."""

    layer: nn.Module
    weights: int
    activations: int
    low: int = 0
    pruned: bool = False
    quantizer: str = "lsq"


def kinds() -> dict[str, Kind]:
    torch.manual_seed(0)
    return {
        "plain": Kind(nn.Conv2d(4, 6, 3, padding=1), 8, 8),
        "signed": Kind(nn.Conv2d(4, 6, 3), 8, 8, low=-128),
        "offset": Kind(nn.Conv2d(4, 6, 3, stride=2), 4, 8, low=-37),
        "few_codes": Kind(nn.Conv2d(4, 6, 3), 4, 4, low=-3),
        "ternary": Kind(nn.Conv2d(4, 6, 3), 2, 2, low=-1),
        "mostly_negative": Kind(nn.Conv2d(4, 6, 1), 3, 3, low=-6),
        "ten_bits": Kind(nn.Conv2d(4, 6, 3), 8, 10, low=-100),
        "sixteen_bits": Kind(nn.Conv2d(4, 6, 3), 8, 16, low=-32768),
        "wide_weights": Kind(nn.Conv2d(4, 6, 3), 12, 12),
        "grouped": Kind(nn.Conv2d(4, 8, 3, groups=2, dilation=2), 4, 8, low=-8),
        "depthwise": Kind(nn.Conv2d(4, 4, 3, groups=4, bias=False), 4, 8),
        "float_weights": Kind(nn.Conv2d(4, 6, 3), 32, 6),
        "float_input": Kind(nn.Conv2d(4, 6, 3), 5, 32),
        "pruned": Kind(nn.Conv2d(4, 6, 3), 4, 8, pruned=True),
        "pruned_float": Kind(nn.Conv2d(4, 6, 3), 32, 32, pruned=True),
        "transposed": Kind(nn.ConvTranspose2d(4, 6, 3, stride=2, output_padding=1), 4, 8, low=-9),
        "transposed_grouped": Kind(nn.ConvTranspose2d(4, 6, 4, groups=2, stride=2), 4, 6),
        "conv3d": Kind(nn.Conv3d(4, 6, 3, padding=1), 4, 8, low=-20),
        "conv3d_grouped": Kind(nn.Conv3d(4, 6, (1, 3, 3), groups=2, stride=(1, 2, 2)), 4, 4),
        "transposed3d": Kind(nn.ConvTranspose3d(4, 6, 3, stride=2, padding=1), 4, 8, low=-1),
        "transposed3d_grouped": Kind(nn.ConvTranspose3d(4, 6, 3, groups=2), 3, 5, low=-4),
        "linear": Kind(nn.Linear(9, 5), 4, 8, low=-128),
        "signs": Kind(nn.Conv2d(4, 6, 3), 1, 8, low=-128, pruned=True),
        "shifts": Kind(nn.Conv2d(4, 6, 3), 5, 8, low=-128, quantizer="power_of_two"),
        "sums": Kind(nn.Conv2d(4, 6, 3), 6, 8, low=-128, quantizer="additive_power_of_two"),
        "factors": Kind(nn.Conv2d(4, 6, 3), 3, 8, low=-128, quantizer="transform"),
    }


class Bench(nn.Module):
    """Every layer on an input of its own rank."""

    def __init__(self, layers: dict[str, nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(layers)
        self.chain = nn.Sequential(nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Conv2d(6, 2, 3, bias=False), nn.ReLU())
        self.chain.append(nn.Conv2d(2, 1, 1))

    def forward(self, flat: Tensor, deep: Tensor) -> tuple[Tensor, ...]:
        deep_kinds = (nn.Conv3d, nn.ConvTranspose3d)
        single = [layer(deep if isinstance(layer, deep_kinds) else flat) for layer in self.layers.values()]
        return (*single, self.chain(flat.abs() + 3))


@dataclass(frozen=True)
class Exported:
    bench: Bench
    model: Any
    expected: dict[str, NDArray[np.float32]]
    found: dict[str, NDArray[np.float32]]


@pytest.fixture(scope="module")
def exported() -> Exported:
    every = kinds()
    bench = Bench({name: kind.layer for name, kind in every.items()}).eval()
    scores = {f"layers.{name}": torch.rand_like(k.layer.weight) for name, k in every.items() if k.pruned}  # type: ignore[arg-type]
    attach_masks(bench, scores)
    set_masks(bench, {name: score > 0.7 for name, score in scores.items()})
    for index in (0, 2, 4):
        bench.chain[index].weight.data.abs_().add_(0.5)  # type: ignore[operator, union-attr]
    bits = {f"layers.{n}": LayerBits(weights=k.weights, activations=k.activations) for n, k in every.items()}
    for quantizer_name in {kind.quantizer for kind in every.values()}:
        chosen = {f"layers.{name}" for name, kind in every.items() if kind.quantizer == quantizer_name}
        attach_quantizers(
            bench, {name: bits[name] for name in sorted(chosen)}, quantizer=QUANTIZERS[quantizer_name].settings()
        )
    attach_quantizers(bench, {f"chain.{index}": LayerBits(weights=8, activations=8) for index in (0, 2, 4)})
    views = torch.randn(2, 4, 8, 9), torch.randn(1, 4, 4, 6, 5)
    for kind in every.values():
        quantizer = input_quantizer(kind.layer)
        if quantizer is not None:
            quantizer.low = kind.low
            quantizer.set_step(6.0 / 2**kind.activations)
    for index, step in ((0, 5 / 255), (2, 300 / 255), (4, 10000 / 255)):
        quantizer = input_quantizer(bench.chain[index])
        assert quantizer is not None
        quantizer.low = 0
        quantizer.set_step(step)
    with torch.no_grad():
        expected = [each.numpy() for each in bench(*views)]
    names = [*every, "chain"]
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            qdq_form(bench), views, dynamo=True, opset_version=OPSET, input_names=["flat", "deep"], output_names=names
        )
    assert program is not None
    model = program.model_proto
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"flat": views[0].numpy(), "deep": views[1].numpy()})
    return Exported(bench, model, dict(zip(names, expected, strict=True)), dict(zip(names, found, strict=True)))


@pytest.mark.parametrize("name", list(kinds()))
def test_the_runtime_computes_what_fake_quantization_computes(exported: Exported, name: str) -> None:
    expected, found = exported.expected[name], exported.found[name]
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-4 * np.ptp(expected)


def test_integer_kernels_neither_saturate_nor_lose_a_code(exported: Exported, tmp_path: Path) -> None:
    """Large inputs and large weights of 8 bits: sums of two products do not fit into 16 bits."""
    options, path = onnxruntime.SessionOptions(), tmp_path / "optimised.onnx"
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(exported.model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    assert [node.op_type for node in onnx.load(path).graph.node].count("QLinearConv") >= 2
    expected, found = exported.expected["chain"], exported.found["chain"]
    assert np.abs(found - expected).max() <= 0.01 * np.abs(expected).max()


def initializers(model: Any, name: str) -> dict[str, NDArray[Any]]:
    """What the file stores of one layer: by the last part of the name, as read by the `onnx` package."""
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    prefix = f"layers.{name}."
    return {key.rpartition(".")[2]: value for key, value in tensors.items() if key.startswith(prefix)}


@pytest.mark.parametrize(("name", "axis", "container"), [
    ("few_codes", 0, np.int8), ("ternary", 0, np.int8), ("wide_weights", 0, np.int16), ("plain", 0, np.uint8),
    ("transposed", 1, np.int8), ("conv3d", 0, np.int8), ("pruned", 0, np.int8), ("float_input", 0, np.int8),
])  # fmt: skip
def test_weights_are_stored_as_codes_with_a_scale_per_output_channel(
    exported: Exported, name: str, axis: int, container: type
) -> None:
    stored, kind = initializers(exported.model, name), kinds()[name]
    weight = exported.bench.layers[name].weight.detach().numpy()  # type: ignore[operator]
    assert stored["codes"].dtype == container
    codes = stored["codes"].astype(int) - (128 if container is np.uint8 else 0)
    assert np.abs(codes).max() <= 2 ** (kind.weights - 1) - 1
    scale = stored["scale"] if kind.activations == 32 else _weight_scale(exported.model, name)
    assert scale.shape == (weight.shape[axis],)
    shape = [1] * weight.ndim
    shape[axis] = -1
    np.testing.assert_array_equal(codes.astype(np.float32) * scale.reshape(shape), weight)


def _weight_scale(model: Any, name: str) -> NDArray[Any]:
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    return tensors[f"layers.{name}.parametrizations.weight.0.scale"]


def test_pruned_weights_are_zeros_in_the_file(exported: Exported) -> None:
    codes = initializers(exported.model, "pruned")["codes"]
    kept = exported.bench.layers["pruned"].parametrizations["weight"][0].mask.numpy()  # type: ignore[index, union-attr]
    assert not codes[kept == 0].any()
    assert 0.1 < np.mean(kept) < 0.5
    plain = [value for key, value in initializers(exported.model, "pruned_float").items() if key != "bias"]
    assert [np.mean(value == 0) > 0.5 for value in plain] == [True]


@pytest.mark.parametrize(("bits", "low", "container"), [
    (8, -128, torch.uint8), (8, 0, torch.uint8), (4, -3, torch.uint8), (9, 0, torch.uint16), (16, -60000, torch.uint16)
])  # fmt: skip
def test_grids_lie_in_unsigned_containers(bits: int, low: int, container: torch.dtype) -> None:
    quantizer = LsqActivation(bits=bits, low=low)
    quantizer.set_step(0.25)
    qdq = InputQdq(quantizer)
    assert qdq.zero_point.dtype == container
    assert int(qdq.zero_point) == -low
    assert float(qdq.scale) == 0.25
    fills = bits == torch.iinfo(container).bits
    assert qdq.ends == (None if fills else (0.25 * low, 0.25 * (low + 2**bits - 1)))


def test_the_ends_of_a_narrow_grid_are_kept_for_values_far_outside() -> None:
    """Clip, division and rounding in NumPy: no value outside of the grid and no code beside the nearest."""
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 300, 4000), [-1e30, 1e30, 0.5, -0.5, 1.5]]).astype(np.float32)
    for bits, low, step in [(4, -3, 0.0371), (2, -1, 11.25), (12, -999, 0.1234), (15, 0, 0.00391)]:
        step32 = np.float32(np.float16(step))
        high = low + 2**bits - 1
        clipped = np.clip(values, np.float32(low * float(step32)), np.float32(high * float(step32)))
        codes = np.rint(clipped / step32) - low
        wanted = np.clip(np.rint(values / step32), low, high) - low
        np.testing.assert_array_equal(codes, wanted)


def test_the_network_itself_is_left_as_it_is() -> None:
    network = nn.Sequential(nn.Conv2d(2, 3, 3))
    attach_quantizers(network, {"0": LayerBits(weights=4, activations=8)})
    quantizer = input_quantizer(network[0])
    assert quantizer is not None
    quantizer.low = 0
    before, view = {name: each.clone() for name, each in network.state_dict().items()}, torch.rand(1, 2, 5, 5)
    expected = network(view)
    qdq_form(network)
    assert {name: torch.equal(each, before[name]) for name, each in network.state_dict().items()} == dict.fromkeys(
        before, True
    )
    assert torch.equal(network(view), expected)


def test_an_uncalibrated_quantizer_is_refused() -> None:
    network = nn.Sequential(nn.Conv2d(2, 3, 3))
    attach_quantizers(network, {"0": LayerBits(weights=4, activations=8)})
    with pytest.raises(InputError, match="was not calibrated"):
        qdq_form(network)
