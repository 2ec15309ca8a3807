"""Shapes without torch's own derivation: the same as torch's, operation by operation and over a whole network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from disparsity.base.trace import recorder
from disparsity.base.trace.meta_result import meta_result
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.stereo.networks import build_network

ATEN = torch.ops.aten


def meta(*shape: int) -> Tensor:
    return torch.empty(shape, device="meta")


NORM = (meta(3), meta(3), meta(3), meta(3))
OPERATIONS = {
    "add": (ATEN.add.Tensor, (meta(2, 3, 4), meta(3, 1))),
    "sub": (ATEN.sub.Tensor, (meta(4), meta(2, 1))),
    "mul by a number": (ATEN.mul.Tensor, (meta(2, 3), 2.0)),
    "div": (ATEN.div.Tensor, (meta(2, 3), meta())),
    "exp": (ATEN.exp.default, (meta(2, 3),)),
    "clamp": (ATEN.clamp.default, (meta(2, 3), -1.0, 1.0)),
    "clamp in place": (ATEN.clamp_.default, (meta(2, 3), -1.0, 1.0)),
    "mul in place": (ATEN.mul_.Tensor, (meta(2, 3), meta(3))),
    "round in place": (ATEN.round_.default, (meta(2, 3),)),
    "relu": (ATEN.relu.default, (meta(2, 3),)),
    "leaky": (ATEN.leaky_relu.default, (meta(2, 3), 0.2)),
    "hardtanh": (ATEN.hardtanh.default, (meta(2, 3), 0.0, 6.0)),
    "cat": (ATEN.cat.default, ([meta(2, 3), meta(2, 5)], -1)),
    "cat, first axis": (ATEN.cat.default, ([meta(2, 3), meta(4, 3)],)),
    "stack": (ATEN.stack.default, ([meta(2, 3)] * 4, 2)),
    "stack, last axis": (ATEN.stack.default, ([meta(2, 3)] * 4, -1)),
    "sum": (ATEN.sum.dim_IntList, (meta(2, 3, 4), [1])),
    "sum, kept": (ATEN.sum.dim_IntList, (meta(2, 3, 4), [0, -1], True)),
    "sum of all": (ATEN.sum.dim_IntList, (meta(2, 3, 4), [])),
    "mean": (ATEN.mean.dim, (meta(2, 3, 4), [-1], True)),
    "softmax": (ATEN._softmax.default, (meta(2, 3), 1, False)),
    "product": (ATEN.bmm.default, (meta(2, 3, 5), meta(2, 5, 7))),
    "pooling": (ATEN.avg_pool2d.default, (meta(2, 3, 9, 12), [3, 2], [2, 2], [1, 0])),
    "pooling, kernel alone": (ATEN.avg_pool2d.default, (meta(2, 3, 9, 12), [3, 2])),
    "pooling, upwards": (ATEN.avg_pool2d.default, (meta(2, 3, 9, 12), [2, 2], [2, 2], [0, 0], True)),
    "up-sampling": (ATEN.upsample_bilinear2d.default, (meta(2, 3, 4, 5), [9, 7], False)),
    "up-sampling in 3D": (ATEN.upsample_trilinear3d.default, (meta(1, 2, 3, 4, 5), [9, 7, 2], True)),
    "norm": (ATEN.native_batch_norm.default, (meta(2, 3, 5), *NORM, False, 0.1, 1e-5)),
    "norm of the batch": (ATEN.native_batch_norm.default, (meta(2, 3, 5), *NORM, True, 0.1, 1e-5)),
}


@pytest.mark.parametrize(
    ("kind", "settings", "shape"),
    [
        ("Conv1d", {"stride": 2}, (2, 4, 9)),
        ("Conv2d", {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "bias": False}, (2, 4, 9, 11)),
        ("Conv2d", {"groups": 4}, (1, 4, 5, 5)),
        ("Conv3d", {"padding": 1}, (1, 4, 3, 4, 5)),
        ("ConvTranspose2d", {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2}, (2, 4, 5, 6)),
        ("ConvTranspose3d", {"stride": (1, 2, 3), "dilation": 2}, (1, 4, 3, 4, 5)),
    ],
)
def test_convolutions_have_the_shapes_of_real_ones(
    kind: str, settings: dict[str, object], shape: tuple[int, ...]
) -> None:
    layer, made = getattr(torch.nn, kind)(4, 8, 3, **settings), []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            made.append(meta_result(func, args, kwargs or {}))
            return made[-1]

    with Watch():
        layer.to("meta")(torch.empty(shape, device="meta"))
    assert made[-1].shape == layer.to_empty(device="cpu")(torch.zeros(shape)).shape


@pytest.mark.parametrize("shape", [(1, 5, 9, 9), (1, 4, 2, 2)])
def test_a_convolution_that_does_not_fit_is_torchs_to_refuse(shape: tuple[int, ...]) -> None:
    args = (meta(*shape), meta(8, 4, 3, 3), None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1)
    with pytest.raises(RuntimeError):
        meta_result(ATEN.convolution.default, args, {})


@pytest.mark.parametrize("name", OPERATIONS)
def test_shapes_and_types_are_those_that_torch_derives(name: str) -> None:
    operation, args = OPERATIONS[name]
    ours, torchs = meta_result(operation, args, {}), operation(*args)
    for mine, its in zip(*((value if isinstance(value, tuple) else (value,)) for value in (ours, torchs)), strict=True):
        assert (mine.shape, mine.dtype, mine.device) == (its.shape, its.dtype, its.device)


def test_arange_on_the_meta_device() -> None:
    made = meta_result(ATEN.arange.default, (7,), {"dtype": torch.float32, "device": torch.device("meta")})
    assert (made.shape, made.dtype, made.is_meta) == ((7,), torch.float32, True)


def test_real_tensors_and_mixed_types_are_computed() -> None:
    assert meta_result(ATEN.add.Tensor, (torch.ones(2), torch.ones(2)), {}).tolist() == [2.0, 2.0]
    mixed = meta_result(ATEN.add.Tensor, (meta(2).int(), meta(2).double()), {})
    assert mixed.dtype == torch.float64


@pytest.mark.parametrize("name", ["anynet_spn", "gwcnet_gc"])
def test_a_network_costs_the_same_with_torchs_own_shapes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, views = build_network(name), (torch.zeros(1, 3, 64, 128), torch.zeros(1, 3, 64, 128))
    ours = trace_workload(network, views)
    monkeypatch.setattr(recorder, "meta_result", lambda func, args, kwargs: func(*args, **kwargs))
    assert trace_workload(network, views) == ours
