"""Every kind of layer against loops over Python's integers, and against the fake-quantized layer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.quant.attach import attach_quantizers, input_quantizer
from disparsity.quant.bits import LayerBits
from disparsity.quant.grids.codes import integer_codes
from disparsity.quant.integer.convolution import IntegerConvolution
from disparsity.quant.integer.settings import IntegerSettings

Build = Callable[..., tuple[nn.Module, Tensor]]


def naive_codes(values: Tensor, layer: nn.Module) -> Any:
    """Steps 1 and 2 as the docstring has them, value by value, with constants of its own."""
    quantizer: Any = input_quantizer(layer)
    low, high, step = quantizer.low, quantizer.low + 2**quantizer.bits - 1, quantizer.step().item()
    bits = 29 - math.floor(math.log2((max(-low, high) + 1) * step))
    shift = 30 + math.floor(math.log2(step)) + bits + (0 if math.log2(step).is_integer() else 1)
    multiplier = math.floor(2.0**shift / (step * 2.0**bits) + 0.5)

    def code(value: float) -> int:
        fixed = min(max(math.floor(value * 2.0**bits + 0.5), -(2**31)), 2**31 - 1)
        return min(max((fixed * multiplier + 2 ** (shift - 1)) >> shift, low), high)

    return np.vectorize(code, otypes=[object])(values.double().numpy())


def naive_sums(codes: Any, weights: Any, layer: Any) -> Any:
    """Step 3 with loops over Python's integers, one product at a time."""
    if isinstance(layer, nn.Linear):
        return codes @ weights.T
    axes, groups, stride, dilation = len(layer.kernel_size), layer.groups, layer.stride, layer.dilation
    same = [d * (k - 1) // 2 for d, k in zip(dilation, layer.kernel_size, strict=True)]
    padding = same if layer.padding == "same" else layer.padding
    taps = list(itertools.product(*map(range, layer.kernel_size)))
    outer, inner = layer.out_channels // groups, layer.in_channels // groups
    if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        widths = [(0, 0), (0, 0), *((p, p) for p in padding)]
        padded = np.pad(codes, widths, mode="constant" if layer.padding_mode == "zeros" else "edge")
        sizes = [
            (n - d * (k - 1) - 1) // s + 1
            for n, d, k, s in zip(padded.shape[2:], dilation, layer.kernel_size, stride, strict=True)
        ]
        sums = np.zeros((len(codes), layer.out_channels, *sizes), object)
        for image, channel, *place in np.ndindex(sums.shape):
            for tap, index in itertools.product(taps, range(inner)):
                at = tuple(p * s + t * d for p, s, t, d in zip(place, stride, tap, dilation, strict=True))
                value = padded[(image, channel // outer * inner + index, *at)]
                sums[(image, channel, *place)] += value * weights[(channel, index, *tap)]
        return sums
    sizes = [
        (n - 1) * s - 2 * p + d * (k - 1) + o + 1
        for n, s, p, d, k, o in zip(
            codes.shape[2:], stride, padding, dilation, layer.kernel_size, layer.output_padding, strict=True
        )
    ]
    sums = np.zeros((len(codes), layer.out_channels, *sizes), object)
    for image, channel, *place in np.ndindex(codes.shape):
        for tap, index in itertools.product(taps, range(outer)):
            at = [p * s + t * d - q for p, s, t, d, q in zip(place, stride, tap, dilation, padding, strict=True)]
            if all(0 <= a < n for a, n in zip(at, sizes, strict=True)):
                target = (image, channel // inner * outer + index, *at)
                sums[target] += codes[(image, channel, *place)] * weights[(channel, index, *tap)]
    assert axes == len(sizes)
    return sums


@pytest.mark.parametrize("widths", [(8, 8), (4, 16), (2, 2)], ids=str)
def test_codes_sums_and_outputs_are_those_of_loops_over_integers(
    quantized: Build, kind: str, widths: tuple[int, int]
) -> None:
    layer, view = quantized(kind, weights=widths[0], activations=widths[1], low=-1, step=6.0 / 2 ** widths[1])
    integer = IntegerConvolution(kind, layer, IntegerSettings())
    codes = integer.input_codes(integer.enter(view))
    expected_codes = naive_codes(view, layer)
    np.testing.assert_array_equal(codes.numpy(), expected_codes)
    weights = np.vectorize(int, otypes=[object])(integer_codes(layer)[0].numpy())
    expected_sums = naive_sums(expected_codes, weights, layer)
    sums = integer.accumulate(codes)
    np.testing.assert_array_equal(sums.numpy(), expected_sums)
    assert integer.largest_seen == max(abs(value) for value in expected_sums.flat) <= integer.constants.largest_sum
    stage, outputs = integer.constants.output, integer.rescale(sums).numpy()
    axis = -1 if isinstance(layer, nn.Linear) else 1
    for channel, (m, s, b) in enumerate(zip(stage.multipliers, stage.shifts, stage.biases, strict=True)):
        for found, total in zip(outputs.take(channel, axis).flat, expected_sums.take(channel, axis).flat, strict=True):
            assert found == min(max(((total * m + 2 ** (s - 1)) >> s) + b, -(2**31)), 2**31 - 1)


@pytest.mark.parametrize("widths", [(8, 8, -37), (4, 8, 0), (8, 16, -30000), (2, 2, -1)], ids=str)
def test_close_to_the_fake_quantized_layer(quantized: Build, kind: str, widths: tuple[int, int, int]) -> None:
    """The codes are the same; what differs is the rounding of float sums, and one unit of the output."""
    bits, activations, low = widths
    layer, view = quantized(kind, weights=bits, activations=activations, low=low, step=6.0 / 2**activations)
    integer = IntegerConvolution(kind, layer, IntegerSettings())
    with torch.no_grad():
        expected, found = layer(view), integer(view)
    quantizer: Any = input_quantizer(layer)
    codes = (quantizer(view) / quantizer.step().float()).round().long()
    assert torch.equal(codes, integer.input_codes(integer.enter(view)))
    unit = 2.0**-integer.constants.output.fraction_bits
    assert float((found - expected).abs().max()) <= unit + 2e-6 * float(expected.abs().max())
    assert found.dtype == torch.float32
    assert unit <= 1e-6


@pytest.mark.parametrize(("quantizer", "bits", "stored"), [
    ("lsq", 1, 2), ("ternary", 2, 2), ("power_of_two", 4, 8), ("additive_power_of_two", 5, 7), ("uniform", 6, 6),
])  # fmt: skip
def test_grids_of_other_quantizers(quantized: Build, quantizer: str, bits: int, stored: int) -> None:
    layer, view = quantized("conv2d", quantizer=quantizer, weights=bits)
    integer = IntegerConvolution("x", layer, IntegerSettings())
    assert integer.constants.weight_bits == stored
    with torch.no_grad():
        expected, found = layer(view), integer(view)
    assert float((found - expected).abs().max()) <= 2e-6 * float(expected.abs().max())


def test_float64_takes_over_where_float32_would_lose_bits(quantized: Build) -> None:
    layer, _ = quantized("conv3d", activations=16, low=0, step=1e-4)
    integer = IntegerConvolution("wide", layer, IntegerSettings())
    assert integer.constants.largest_sum >= 2**24
    assert integer.products.weight.dtype == torch.float64
    small, _ = quantized("conv3d")
    assert IntegerConvolution("small", small, IntegerSettings()).products.weight.dtype == torch.float32


def test_an_overflow_is_an_error_that_names_the_layer_and_the_widths(quantized: Build) -> None:
    layer, view = quantized("depthwise", low=-127)
    layer.weight.data = layer.weight.data.abs()
    needed = IntegerConvolution("x", layer, IntegerSettings()).constants.worst_case_bits
    assert needed <= 20
    large = torch.full_like(view, 1e6)
    for sign in (1, -1):
        fits = IntegerConvolution("tower.conv", layer, IntegerSettings(accumulator_bits=needed))
        fits(sign * large)
        assert fits.largest_seen.bit_length() + 1 <= needed
    for sign in (1, -1):
        narrow = IntegerConvolution("tower.conv", layer, IntegerSettings(accumulator_bits=12))
        with pytest.raises(InputError, match=r"tower\.conv: a sum overflows the accumulators; found 1[3-9] bits; "
                                             rf"expected 12 bits, and no input needs more than {needed}"):  # fmt: skip
            narrow(sign * large)


def linear(weights: Tensor, low: int, step: float) -> nn.Module:
    layer = nn.Linear(weights.shape[1], weights.shape[0], bias=False)
    layer.weight.data = weights
    attach_quantizers(nn.Sequential(layer), {"0": LayerBits(weights=2, activations=8)})
    return calibrated(layer, low, step)


def calibrated(layer: nn.Module, low: int, step: float) -> nn.Module:
    quantizer = input_quantizer(layer)
    assert quantizer is not None
    quantizer.low = low
    quantizer.set_step(step)
    return layer


@pytest.mark.parametrize(("total", "fits"), [(127, True), (128, False), (-128, True), (-129, False)])
def test_accumulators_are_twos_complement(total: int, fits: bool) -> None:
    integer = IntegerConvolution("sum", linear(torch.ones(1, 2), -128, 1.0), IntegerSettings(accumulator_bits=8))
    view = torch.tensor([[float(total // 2), float(total - total // 2)]])
    if fits:
        assert integer(view).item() == total
    else:
        with pytest.raises(InputError, match="found 9 bits; expected 8 bits"):
            integer(view)


def test_outputs_saturate_where_hardware_would(quantized: Build) -> None:
    layer, _ = quantized("linear")
    integer = IntegerConvolution("linear", layer, IntegerSettings(output_bits=12))
    beyond = torch.full((1, 4), 2**30)
    assert integer.rescale(beyond).tolist() == [[2047] * 4]
    assert integer.rescale(-beyond).tolist() == [[-2048] * 4]


def test_not_a_number_is_refused_and_infinity_saturates(quantized: Build) -> None:
    layer, view = quantized("conv2d")
    integer = IntegerConvolution("first", layer, IntegerSettings())
    codes = integer.input_codes(integer.enter(torch.tensor([math.inf, -math.inf, 1e30, -1e30])))
    assert codes.tolist() == [218, -37, 218, -37]
    view[0, 0, 0, 0] = math.nan
    with pytest.raises(InputError, match="first: the input of a layer is not a number"):
        integer(view)


def test_further_arguments_reach_the_layer() -> None:
    layer = nn.ConvTranspose2d(1, 1, 3, stride=2)
    attach_quantizers(nn.Sequential(layer), {"0": LayerBits(weights=8, activations=8)})
    calibrated(layer, 0, 0.01)
    view = torch.rand(1, 1, 3, 3)
    integer = IntegerConvolution("up", layer, IntegerSettings())
    assert integer(view, [8, 8]).shape == layer(view, [8, 8]).shape == (1, 1, 8, 8)


def test_bit_exact_between_batch_sizes_runs_and_threads(quantized: Build, kind: str) -> None:
    layer, view = quantized(kind)
    integer = IntegerConvolution(kind, layer, IntegerSettings())
    batch = torch.cat([view, view.flip(-1), view * 0.3])
    whole, threads = integer(batch), torch.get_num_threads()
    assert torch.equal(whole, integer(batch))
    assert torch.equal(whole, torch.cat([integer(one[None]) for one in batch]))
    try:
        torch.set_num_threads(2)
        assert torch.equal(whole, integer(batch))
    finally:
        torch.set_num_threads(threads)
