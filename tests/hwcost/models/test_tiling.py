from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from disparsity.hwcost.models.tiling import compulsory_bytes, footprint, geometry, tiled
from disparsity.hwcost.tracing.workload import trace_workload


def test_what_fits_moves_once(anchors) -> None:
    for call in anchors.values():
        best = tiled(call, 10**9)
        assert best is not None
        assert best.dram_bytes == compulsory_bytes(call)
        assert (best.positions, best.channels_out) == (call.output_shape[2:], call.output_shape[1])


def test_compulsory_bytes_by_hand(anchors) -> None:
    # 4-bit weights, 8-bit activations
    assert compulsory_bytes(anchors["L1"]) == 432 / 2 + 3 * 32 * 64 + 16 * 32 * 64


def test_a_pointwise_layer_by_hand(trace_layer) -> None:
    """No halo: either the weights or the inputs pass twice when half of them fits."""
    call = trace_layer(nn.Conv2d(8, 8, 1, bias=False), 1, 8, 4, 4, weights=8, activations=8)
    inputs, weights, outputs, wide = 128, 64, 128, (8 + 8 + 3) / 8
    assert tiled(call, 10_000).dram_bytes == inputs + weights + outputs
    # all weights stay (64), a row of inputs (32) and its sums: nothing is read twice
    assert tiled(call, int(64 + 32 + 32 * wide)).dram_bytes == inputs + weights + outputs
    # less than that: not all weights fit beside one position
    tight = tiled(call, 8 + 32 + 12)
    assert tight.dram_bytes == outputs + min(inputs + 16 * weights, 2 * inputs + weights)


@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(2, 9))
def test_footprints_equal_the_taps_that_are_touched(kernel: int, stride: int, dilation: int, block: int) -> None:
    touched = {position * stride + dilation * tap for position in range(block) for tap in range(kernel)}
    assert footprint(block, kernel, stride, dilation, transposed=False) == max(touched) - min(touched) + 1


@given(st.integers(1, 5), st.integers(1, 3), st.integers(1, 2), st.integers(1, 9), st.integers(0, 40))
def test_transposed_footprints_are_never_too_small(
    kernel: int, stride: int, dilation: int, block: int, at: int
) -> None:
    needed = [
        source
        for source in range(80)
        if any(at + kernel * dilation <= source * stride + dilation * tap < at + kernel * dilation + block
               for tap in range(kernel))
    ]  # fmt: skip
    span = needed[-1] - needed[0] + 1 if needed else 0
    assert span <= footprint(block, kernel, stride, dilation, transposed=True)


LAYERS = [
    (nn.Conv2d(4, 6, 3, stride=2, padding=1), (1, 4, 16, 24)),
    (nn.Conv2d(6, 6, 5, padding=4, dilation=2, groups=3), (2, 6, 16, 24)),
    (nn.Conv3d(4, 4, 3, padding=1), (1, 4, 6, 8, 10)),
    (nn.ConvTranspose3d(4, 2, 4, stride=2, padding=1), (1, 4, 3, 4, 5)),
    (nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), (1, 4, 5, 5)),
    (nn.Linear(20, 30), (3, 7, 20)),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS)
def test_a_larger_buffer_never_moves_more_and_no_tile_exceeds_it(trace_layer, layer, shape) -> None:
    call = trace_layer(layer, *shape, weights=8, activations=8)
    traffic = []
    for size in (64, 128, 256, 512, 1024, 4096, 1 << 20):
        best = tiled(call, size)
        if best is not None:
            assert best.buffer_bytes <= size
            assert best.dram_bytes >= compulsory_bytes(call)
            traffic.append(best.dram_bytes)
    assert traffic == sorted(traffic, reverse=True)
    assert traffic[-1] == compulsory_bytes(call)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_fewer_bits_never_move_more(data: st.DataObject) -> None:
    layer, shape = data.draw(st.sampled_from(LAYERS))
    call = _trace(layer, shape)
    size = data.draw(st.integers(200, 4000))
    fine, coarse = (tiled(dataclasses.replace(call, weight_bits=bits, activation_bits=bits), size) for bits in (4, 8))
    if coarse is not None:
        assert fine.dram_bytes <= coarse.dram_bytes


def _trace(layer: nn.Module, shape: tuple[int, ...]):
    return trace_workload(nn.Sequential(layer), (torch.zeros(shape),)).calls[0]


def test_too_small_a_buffer_is_unknown_not_zero(anchors) -> None:
    assert tiled(anchors["C3D"], 8) is None


def test_linear_rows_are_positions(trace_layer) -> None:
    shape = geometry(trace_layer(nn.Linear(20, 30), 3, 7, 20))
    assert (shape.inputs, shape.channels_in, shape.channels_out) == ((21,), 20, 30)
