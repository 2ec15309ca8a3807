"""Which kernels OpenVINO chooses for a network with 2D, 3D and transposed 3D convolutions, from its own graph."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from disparsity.evaluation.sessions.kernels import Kernel, kernel_table
from disparsity.evaluation.sessions.openvino import OpenvinoNetwork, open_openvino
from disparsity.export.openvino.folder import write_openvino
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.bits import LayerBits
from disparsity.quant.finalise import finalise
from disparsity.stereo.inference import predict
from disparsity.stereo.networks.users import AdoptedNetwork
from disparsity.stereo.regression import SoftArgmin
from disparsity.stereo.spec import NetworkSpec
from disparsity.stereo.volumes.difference import DifferenceVolume

for package in ("onnx", "onnxscript", "openvino"):
    pytest.importorskip(package)
BITS = {"tower": 7, "shrink": 7, "deep": 8, "grow": 7, "merge": 3}
SIZE = (16, 24)


class Hourglass(nn.Module):
    """A siamese tower whose two calls cannot become one, a difference volume and an hourglass over it."""

    spec = NetworkSpec(
        name="hourglass", settings={}, divisor=4, mean=(0, 0, 0), std=(1, 1, 1), max_disparity=8, protected=()
    )

    def __init__(self) -> None:
        super().__init__()
        self.tower, self.volume = nn.Conv2d(3, 8, 3, padding=1), DifferenceVolume(8)
        self.shrink = nn.Conv3d(8, 8, 3, stride=2, padding=1)
        self.deep = nn.Conv3d(8, 8, 3, padding=1)
        self.grow = nn.ConvTranspose3d(8, 8, 3, stride=2, padding=1, output_padding=1)
        self.merge, self.soft_argmin = nn.Conv3d(8, 1, 3, padding=1), SoftArgmin()

    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        cost = self.volume(self.tower(left), self.tower(right)).relu()
        cost = self.grow(self.deep(self.shrink(cost).relu()).relu()).relu()
        return (self.soft_argmin(self.merge(cost)[:, 0]),)


@pytest.fixture(scope="module")
def network() -> AdoptedNetwork:
    torch.manual_seed(0)
    network = AdoptedNetwork(Hourglass(), Hourglass.spec).eval()
    bits = {f"network.{name}": LayerBits(weights=each, activations=8) for name, each in BITS.items()}
    attach_quantizers(network, bits)
    calibrate(network, [torch.rand(2, 1, 3, *SIZE).unbind()])
    finalise(network)
    return network


@pytest.fixture(scope="module")
def opened(network: AdoptedNetwork, tmp_path_factory: pytest.TempPathFactory) -> OpenvinoNetwork:
    path = tmp_path_factory.mktemp("kernels") / "network"
    write_openvino(path, network, SIZE)
    return open_openvino(path, saturating=True)


def named(kernels: tuple[Kernel, ...]) -> list[tuple[str, int, str]]:
    return [(kernel.layer.removeprefix("network."), kernel.call, kernel.operator) for kernel in kernels]


def test_every_convolution_is_found_by_layer_and_call(opened: OpenvinoNetwork) -> None:
    deep = [("shrink", 0, "Conv3d"), ("deep", 0, "Conv3d"), ("grow", 0, "ConvTranspose3d"), ("merge", 0, "Conv3d")]
    assert named(opened.kernels) == [("tower", 0, "Conv2d"), ("tower", 1, "Conv2d"), *deep]
    text = kernel_table(opened.kernels, opened.widened).splitlines()
    assert len(text) == 2 + len(opened.kernels)
    assert "network.tower (call 2)" in text[3]


def test_convolutions_in_2d_and_3d_and_transposed_run_on_integers(opened: OpenvinoNetwork) -> None:
    if not torch.backends.cpu.get_cpu_capability().startswith("AVX"):
        pytest.skip("OpenVINO has integer kernels for 3D convolutions on x86 with AVX2 alone")
    precision = {name: kernel for kernel, (name, *_) in zip(opened.kernels, named(opened.kernels), strict=True)}
    assert all(precision[name].integer for name in ("tower", "shrink", "grow", "merge"))
    assert all("I8" in precision[name].kernel for name in ("tower", "shrink", "grow", "merge"))
    assert (precision["deep"].integer, opened.widened) == (False, 1)


def test_where_sums_do_not_saturate_weights_of_eight_bits_run_on_integers_too(opened: OpenvinoNetwork) -> None:
    if not torch.backends.cpu.get_cpu_capability().startswith("AVX"):
        pytest.skip("OpenVINO has integer kernels for 3D convolutions on x86 with AVX2 alone")
    bold = open_openvino(opened.path, saturating=False)
    assert all(kernel.integer for kernel in bold.kernels)
    assert bold.widened == 0


def test_what_runs_is_what_was_trained(opened: OpenvinoNetwork, network: AdoptedNetwork) -> None:
    views = torch.rand(2, 3, *SIZE, generator=torch.Generator().manual_seed(2))
    found, expected = opened.predict(*views), predict(network, *views)
    assert np.abs(found - expected).max() < 0.02 * np.ptp(expected)
