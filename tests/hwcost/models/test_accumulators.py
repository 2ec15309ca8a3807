"""Accumulator widths of a layer by hand, against the layer run on ones, and what is not known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import nn

from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer
from disparsity.hwcost.models.accumulators import (
    AccumulatorColumns,
    AccumulatorsSection,
    accumulator_columns,
    accumulators_section,
    largest_sum,
    largest_sums,
    sum_bits,
)
from disparsity.hwcost.tracing.workload import trace_workload


def test_golden_worst_cases(anchors) -> None:
    assert [anchors[name].accumulator_bits for name in ("L1", "L2", "L3", "C3D")] == [17, 20, 21, 22]


def test_bits_of_a_sum_by_hand() -> None:
    assert sum_bits(7, 255) == 12  # 7 * 255 = 1785 needs 11 bits and a sign
    assert sum_bits(7, 127) == 11  # 7 * 127 = 889
    assert sum_bits(7, 1) == 4
    assert sum_bits(0, 255) == 1


@given(hnp.arrays(np.int64, st.tuples(st.integers(1, 4), st.integers(1, 20)), elements=st.integers(-7, 7)))
def test_the_extreme_sum_fits_and_the_worst_case_is_wider(codes: np.ndarray) -> None:
    width = sum_bits(int(np.abs(codes).sum(axis=1).max()), 15)
    extreme = int(np.abs((np.where(codes > 0, 15, 0) * codes).sum(1)).max())
    assert extreme <= 2 ** (width - 1) - 1
    assert width <= 4 + 4 + int(np.ceil(np.log2(codes.shape[1])))


LAYERS = [
    (nn.Conv2d(4, 6, 3, groups=2), (1, 4, 7, 7)),
    (nn.ConvTranspose2d(4, 6, 4, stride=2, groups=2), (1, 4, 9, 9)),
    (nn.ConvTranspose2d(3, 2, 3, stride=2, padding=1, dilation=2), (1, 3, 9, 9)),
    (nn.ConvTranspose3d(2, 3, 3, stride=(1, 2, 3)), (1, 2, 7, 7, 7)),
    (nn.Linear(5, 7), (1, 5)),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS)
def test_the_largest_sum_is_that_of_the_layer_run_on_ones(layer: nn.Module, shape: tuple[int, ...]) -> None:
    codes = torch.randint(-7, 8, layer.weight.shape, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        layer.weight.copy_(codes.abs())
        layer.bias.zero_()
        extreme = int(layer(torch.ones(shape)).max())
    axis = 1 if type(layer).__name__.startswith("ConvTranspose") else 0
    stored = PackedLayer(name="0", codes=codes.numpy(), steps=np.ones(1, np.float16), bits=4, output_axis=axis)
    call = trace_workload(nn.Sequential(layer), (torch.zeros(shape),)).calls[0]
    assert largest_sum(stored, call) == extreme


def test_three_widths_of_one_layer(anchors) -> None:
    call = anchors["L1"]
    codes = np.zeros((16, 3, 3, 3), np.int64)
    codes[3, 0, 0, :2] = (7, -5)
    layer = PackedLayer(name=call.name, codes=codes, steps=np.ones(16, np.float16), bits=4)
    sums = largest_sums([call], [layer])
    assert sums == {call.name: 12}
    found = accumulator_columns(call, sums, {call.name: 255}, {call.name: 10})
    # 4 + 8 + ceil(log2 27); 12 x 255 = 3060 in 12 bits; 12 x 10 = 120 in 7; a sign each
    assert found == AccumulatorColumns(accumulator_bits=17, accumulator_weights_bits=13, accumulator_data_bits=8)
    section = accumulators_section([call], sums, {call.name: 255}, {})
    assert section == AccumulatorsSection(
        worst_case_bits=17, weights_bits=13, data_bits=None, integer_layers=1, float_layers=0
    )
    assert [(row.after, row.missing) for row in section.rows(measured=True)][1:] == [
        (13, "not known"),
        (None, "not known"),
    ]
    assert section.rows(measured=False)[2].missing == "not measured"


def test_float_layers_have_no_integer_width(anchors) -> None:
    call = dataclasses.replace(anchors["L1"], weight_bits=32)
    layer = FloatLayer(name=call.name, values=np.ones((16, 3, 3, 3), np.float32))
    assert largest_sums([call], [layer]) == {}
    section = accumulators_section([call], {}, {}, {})
    assert section.worst_case_bits is None
    assert (section.integer_layers, section.float_layers) == (0, 1)
