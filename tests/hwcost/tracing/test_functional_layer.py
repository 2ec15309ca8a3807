"""Functional layers: the same records as modules, and products that no record holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.base.trace.dry_run import trace_network
from disparsity.hwcost.models.cycles import network_latency
from disparsity.hwcost.tracing.layer_call import LayerCall, Workload
from disparsity.hwcost.tracing.live_activations import peak_activations
from disparsity.hwcost.tracing.workload import trace_workload

Compute = Callable[[Tensor, Tensor, "Tensor | None"], Tensor]


class Functional(nn.Module):
    """A layer of torch whose parameters another operation computes with."""

    def __init__(self, layer: nn.Module, compute: Compute) -> None:
        super().__init__()
        self.weight, self.bias, self.compute = nn.Parameter(layer.weight.detach()), layer.bias, compute

    def forward(self, values: Tensor) -> Tensor:
        return self.compute(values, self.weight, self.bias)


def stored(workload: Workload) -> list[LayerCall]:
    """Every layer with weights once."""
    return [call for call in workload.calls if call.weight_count and call.call == 0]


def last_layer(workload: Workload) -> object:
    return replace(stored(workload)[-1], name="", nnz_per_filter=())


CASES: list[tuple[nn.Module, tuple[int, ...], Compute]] = [
    (nn.Conv2d(8, 6, 3, padding=1), (1, 8, 6, 7), lambda x, w, b: F.conv2d(x, w, b, padding=1)),
    (nn.Conv2d(8, 8, (3, 1), stride=2, groups=4, bias=False), (2, 8, 9, 7),
     lambda x, w, b: F.conv2d(x, w, b, stride=2, groups=4)),
    (nn.Conv2d(8, 6, 3, padding="same", dilation=2), (1, 8, 9, 7),
     lambda x, w, b: F.conv2d(x, w, b, padding="same", dilation=2)),
    (nn.Conv1d(8, 6, 3), (1, 8, 9), F.conv1d),
    (nn.Conv3d(4, 6, 3, padding=1), (1, 4, 5, 6, 7), lambda x, w, b: F.conv3d(x, w, b, padding=1)),
    (nn.ConvTranspose2d(8, 6, 4, stride=2, padding=1, groups=2), (1, 8, 5, 6),
     lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1, groups=2)),
    (nn.Linear(8, 6), (5, 8), F.linear),
    (nn.Linear(8, 6, bias=False), (5, 8), lambda x, w, b: x @ w.t()),
    (nn.Linear(8, 6, bias=False), (5, 8), lambda x, w, b: torch.einsum("nc,oc->no", x, w)),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "shape", "compute"), CASES)
def test_the_record_is_that_of_the_module(layer: nn.Module, shape: tuple[int, ...], compute: Compute) -> None:
    with torch.no_grad():
        layer.weight.flatten()[::3] = 0
    module = trace_workload(nn.Sequential(layer), (torch.rand(shape),))
    functional = trace_workload(nn.Sequential(Functional(layer, compute)), (torch.rand(shape),))
    found = replace(last_layer(functional), input_shape=(), output_shape=())
    assert found == replace(last_layer(module), input_shape=(), output_shape=())
    assert stored(functional)[-1].name == "0.weight"
    assert functional.unmodelled == ()
    assert functional.dense_macs == functional.counted_macs == module.dense_macs
    latencies = [network_latency(each.calls, (4, 4), "ws").cycles for each in (module, functional)]
    assert latencies[0] == latencies[1] > 0


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.rand(4, 4, 3, 3))

    def forward(self, values: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(values, self.kernel), self.kernel)


def test_a_weight_that_is_used_twice_is_stored_once() -> None:
    workload = trace_workload(Twice(), (torch.rand(1, 4, 9, 9),))
    assert [(call.name, call.call) for call in workload.calls] == [("kernel", 0), ("kernel", 1)]
    assert sum(call.weight_count for call in stored(workload)) == 4 * 4 * 9
    assert workload.dense_macs == 4 * 4 * 9 * (7 * 7 + 5 * 5)


class Standardized(nn.Conv2d):
    def forward(self, values: Tensor) -> Tensor:
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return self._conv_forward(values, weight / weight.std((1, 2, 3), keepdim=True), self.bias)


def test_a_layer_with_a_forward_pass_of_its_own_is_counted_as_what_it_computes() -> None:
    layer = Standardized(4, 6, 3)
    workload = trace_workload(nn.Sequential(layer), (torch.rand(1, 4, 9, 9),))
    convolutions = [call for call in workload.calls if call.weight_count]
    assert [(call.name, call.kind, call.dense_macs) for call in convolutions] == [("0", "Conv2d", 4 * 6 * 9 * 49)]
    assert {call.kind for call in workload.calls} > {"Conv2d", "reduction", "elementwise"}


class Attends(nn.Module):
    """Attention in a network that looks at a value."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, values: Tensor) -> Tensor:
        values = values * (1 + values.mean().item())
        return self.attention(values, values, values, need_weights=False)[0]


def test_attention_behind_a_value_is_counted() -> None:
    batch, tokens, width = 2, 5, 8
    workload = trace_workload(Attends(), (torch.rand(batch, tokens, width),))
    projections, scores = 4 * width * width * tokens * batch, 2 * tokens * tokens * width * batch
    assert workload.dense_macs == workload.counted_macs == projections + scores
    assert [call.name for call in stored(workload)] == ["attention.in_proj_weight", "attention.out_proj.weight"]
    assert workload.unmodelled == ()


class Products(nn.Module):
    """A convolution, and a product without a record."""

    def __init__(self, product: nn.Module | Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.product = nn.Conv2d(1, 3, 1), product

    def forward(self, values: Tensor) -> Tensor:
        rows = self.first(values).flatten(0, 2)
        return self.product(rows, rows)


@pytest.mark.parametrize(
    ("product", "named", "macs"),
    [
        (nn.Bilinear(7, 7, 2), ("operation _trilinear", "product"), 18 * 2 * 7 * 7),
        (torch.cdist, ("operation _cdist_forward",), 18 * 18 * 7),
        (lambda one, other: torch.mv(one, other[0]), ("operation mv",), 18 * 7),
    ],
)
def test_products_without_a_record_are_named_and_not_modelled(
    product: nn.Module | Callable[[Tensor, Tensor], Tensor], named: tuple[str, ...], macs: int
) -> None:
    workload = trace_workload(Products(product), (torch.rand(1, 1, 6, 7),))
    assert workload.dense_macs == 3 * 6 * 7
    assert workload.unmodelled == named
    assert workload.counted_macs + workload.unknown_macs - workload.dense_macs >= macs
    assert workload.unknown_macs in (0, macs) or "cdist" in named[0]


def test_a_functional_convolution_reads_its_input_in_float() -> None:
    network = Twice()
    peak = peak_activations(network, trace_network(network, (torch.rand(1, 4, 9, 9),)))
    assert peak.compressed_bytes == peak.dense_bytes
