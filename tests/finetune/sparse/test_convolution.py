"""Sparse convolutions against torch's dense ones, forward and backward."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from disparsity.finetune.sparse.convolution import sparse_convolution
from disparsity.finetune.sparse.taps import Geometry, Taps


def dense_and_sparse(
    layer: nn.Conv2d | nn.Conv3d, inputs: Tensor, mask: Tensor
) -> tuple[list[Tensor | None], list[Tensor | None]]:
    """Output and all gradients of both computations, the dense one in float64."""
    results = []
    for kind in ("dense", "sparse"):
        dtype = torch.float64 if kind == "dense" else torch.float32
        x = inputs.detach().clone().to(dtype).requires_grad_()
        weight = layer.weight.detach().clone().to(dtype).requires_grad_()
        bias = None if layer.bias is None else layer.bias.detach().clone().to(dtype).requires_grad_()
        masked = weight * mask
        if kind == "dense":
            output = layer._conv_forward(x, masked, bias)
        else:
            geometry = Geometry.of(layer)
            output = sparse_convolution(x, masked, bias, Taps.of(mask, geometry), geometry)
        pull = torch.randn(output.shape, generator=torch.Generator().manual_seed(7)).to(dtype)
        output.backward(pull)
        results.append([output.detach(), x.grad, weight.grad, None if bias is None else bias.grad])
    return results[0], results[1]


def check(layer: nn.Conv2d | nn.Conv3d, shape: tuple[int, ...], density: float) -> None:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(shape, generator=generator)
    mask = torch.rand(layer.weight.shape, generator=generator) < density
    for expected, found in zip(*dense_and_sparse(layer, inputs, mask), strict=True):
        if expected is None:
            assert found is None
        else:
            assert found is not None
            torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("density", [0.0, 0.02, 0.3, 1.0])
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv2d(5, 7, 3, padding=1), (2, 5, 12, 17)),
        (nn.Conv2d(3, 4, 5, stride=2, padding=2), (2, 3, 12, 15)),
        (nn.Conv2d(3, 3, 3, padding=8, dilation=8), (1, 3, 20, 21)),
        (nn.Conv2d(3, 2, 1, bias=False), (2, 3, 5, 6)),
        (nn.Conv2d(2, 3, 3), (1, 2, 60, 70)),
        (nn.Conv3d(4, 6, 3, padding=1), (2, 4, 5, 6, 7)),
        (nn.Conv3d(2, 3, 3, padding=1, stride=(1, 2, 2)), (1, 2, 5, 6, 7)),
    ],
)
def test_it_equals_the_dense_convolution(layer: nn.Conv2d | nn.Conv3d, shape: tuple[int, ...], density: float) -> None:
    check(layer, shape, density)


@settings(max_examples=30, deadline=None)
@given(
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    size=st.tuples(st.integers(10, 14), st.integers(10, 14)),
)
def test_any_geometry(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: tuple[int, int],
    size: tuple[int, int],
) -> None:
    layer = nn.Conv2d(2, 3, kernel, stride=stride, dilation=dilation, padding=padding)
    check(layer, (1, 2, *size), 0.4)


def test_bits_do_not_depend_on_the_threads() -> None:
    layer = nn.Conv2d(6, 8, 3, padding=1)
    mask = torch.rand(layer.weight.shape, generator=torch.Generator().manual_seed(0)) < 0.2
    inputs = torch.randn(3, 6, 30, 40, generator=torch.Generator().manual_seed(1))
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(dense_and_sparse(layer, inputs, mask)[1])
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        for one, two in zip(found[0][:3], other[:3], strict=True):
            assert one is not None
            assert two is not None
            assert torch.equal(one, two)


def test_no_gradient_is_computed_for_an_image() -> None:
    layer = nn.Conv2d(3, 4, 3, padding=1)
    geometry = Geometry.of(layer)
    taps = Taps.of(torch.ones(layer.weight.shape, dtype=torch.bool), geometry)
    image = torch.ones(1, 3, 6, 7)
    sparse_convolution(image, layer.weight, layer.bias, taps, geometry).sum().backward()
    assert image.grad is None
    assert layer.weight.grad is not None
