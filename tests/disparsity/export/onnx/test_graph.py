"""Operators of every network in ONNX Runtime, and operators that ONNX lacks by name and layer.

Whole presets are exported by `benchmarks/deployment.py`, since each takes a while; here are the parts that differ.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.evaluation.sessions.metadata import metadata_of
from disparsity.export.onnx.graph import onnx_graph
from disparsity.export.onnx.qdq import OPSET
from disparsity.stereo.blocks.propagation import bounded_gates, propagate
from disparsity.stereo.networks.users import AdoptedNetwork
from disparsity.stereo.regression import SoftArgmin, UpsampledSoftArgmax
from disparsity.stereo.spec import NetworkSpec
from disparsity.stereo.volumes.concatenation import ConcatenationVolume
from disparsity.stereo.volumes.correlation import CorrelationVolume
from disparsity.stereo.volumes.difference import DifferenceVolume
from disparsity.stereo.volumes.groupwise import GroupwiseVolume
from disparsity.stereo.volumes.interlaced import InterlacedVolume
from disparsity.stereo.volumes.l1 import L1Volume
from disparsity.stereo.volumes.warped import WarpedResidualVolume

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
NAMES = ["concatenation", "correlation", "difference", "groupwise", "interlaced", "l1", "warped", "argmin", "argmax"]
NAMES += ["propagation", "pooled", "normalised"]


class Parts(nn.Module):
    """All cost volumes, regressions and what else only some networks have."""

    def __init__(self) -> None:
        super().__init__()
        matcher = nn.Sequential(
            nn.Conv3d(1, 2, 3, padding=1, stride=(2, 1, 1)), nn.Conv3d(2, 1, (4, 3, 3), padding=(0, 1, 1))
        )
        volumes = [ConcatenationVolume, CorrelationVolume, DifferenceVolume]
        self.volumes = nn.ModuleList([*(volume(3) for volume in volumes), GroupwiseVolume(3, 2)])
        self.volumes.extend([InterlacedVolume(3, matcher), L1Volume(3)])
        self.warped, self.soft_argmin = WarpedResidualVolume(1), SoftArgmin()
        self.soft_argmax = UpsampledSoftArgmax(8, align_corners=True)
        self.pool, self.norm = nn.AvgPool2d(4), nn.BatchNorm2d(4)

    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        found = [volume(left, right) for volume in self.volumes]
        estimate = self.soft_argmin(found[-1])
        found += [self.warped(left, right, estimate), estimate]
        found.append(self.soft_argmax(left[:, None, :3], left[..., :16, :24]))
        found.append(propagate(left, bounded_gates(torch.cat([right] * 3, 1))))
        small = self.pool(left)
        found.append(nn.functional.interpolate(small, size=left.shape[-2:], mode="bilinear", align_corners=False))
        found.append(self.norm(left))
        return tuple(found)


@pytest.mark.slow
def test_parts_of_every_network_run_in_onnxruntime() -> None:
    torch.manual_seed(0)
    parts, views = Parts().eval(), torch.randn(2, 1, 4, 8, 12).unbind()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = parts(*views)
        program = torch.onnx.export(
            parts, views, dynamo=True, opset_version=OPSET, input_names=["left", "right"], output_names=NAMES
        )
    assert program is not None
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"left": views[0].numpy(), "right": views[1].numpy()})
    for name, ours, theirs in zip(NAMES, expected, found, strict=True):
        np.testing.assert_allclose(theirs, ours.numpy(), atol=1e-5 * float(ours.abs().max()), err_msg=name)


@torch.library.custom_op("disparsity_test::twist", mutates_args=())
def twist(values: Tensor) -> Tensor:
    return values.flip(0)


@twist.register_fake
def _twisted(values: Tensor) -> Tensor:
    return torch.empty_like(values)


class Twisting(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return twist(values)


class Branching(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return values + 1 if values.mean() > 0 else values


class Small(nn.Module):
    """A network around one operator."""

    spec = NetworkSpec(
        name="small", settings={}, divisor=1, mean=(0, 0, 0), std=(1, 1, 1), max_disparity=8, protected=()
    )

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.tower = nn.Sequential(nn.Conv2d(3, 1, 3, padding=1), inner)

    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        return (self.tower(left)[:, 0] + self.tower(right)[:, 0],)


@pytest.fixture
def torchs_own_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize(
    ("inner", "operator"), [(Twisting(), "disparsity_test.twist"), (Branching(), "data-dependent")]
)
def test_operators_that_onnx_lacks_are_named_with_their_layer(
    inner: nn.Module, operator: str, capsys: pytest.CaptureFixture[str]
) -> None:
    network = AdoptedNetwork(Small(inner), Small.spec)
    with pytest.raises(InputError, match=rf"tower\.1: ONNX cannot express an operator .* found .*{operator}"):
        onnx_graph(network, metadata_of(network, (4, 6)))
    assert capsys.readouterr() == ("", "")


class Averaging(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return values - values.mean((2, 3), keepdim=True)


@pytest.mark.usefixtures("torchs_own_warnings")
def test_outputs_named_like_the_networks_own_values_stay_apart() -> None:
    """Every network holds a `mean` for its preprocessing; operators that average put out `mean`, `mean_1`, ..."""
    spec = replace(Small.spec, mean=(0.4, 0.5, 0.6), std=(0.2, 0.2, 0.3))
    network = AdoptedNetwork(Small(Averaging()), spec).eval()
    views = torch.rand(2, 1, 3, 4, 6).unbind()
    session = onnxruntime.InferenceSession(
        onnx_graph(network, metadata_of(network, (4, 6))).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    inputs = {each.name: view.numpy() for each, view in zip(session.get_inputs(), views, strict=True)}
    with torch.no_grad():
        np.testing.assert_allclose(session.run(None, inputs)[0], network(*views)[-1].numpy(), atol=1e-5)
