from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import nn

from disparsity.hwcost.codec.packed_network import PackedLayer
from disparsity.hwcost.models.accumulators import data_bits, largest_sum, worst_case_bits
from disparsity.hwcost.tracing.workload import trace_workload


def test_golden_worst_cases() -> None:
    assert [worst_case_bits(4, 8, fan_in) for fan_in in (27, 144, 288, 864)] == [17, 20, 21, 22]


def test_data_bound_by_hand() -> None:
    codes = np.array([[3, -4, 0], [1, 1, 1]])
    assert data_bits(codes, 8, signed=False) == 12  # 7 * 255 = 1785 needs 11 bits and a sign
    assert data_bits(codes, 8, signed=True) == 11  # 7 * 127 = 889
    assert data_bits(codes, 8, signed=False, largest=1) == 4
    assert data_bits(np.zeros((2, 3), np.int64), 8, signed=False) == 1


@given(hnp.arrays(np.int64, st.tuples(st.integers(1, 4), st.integers(1, 20)), elements=st.integers(-7, 7)))
def test_the_extreme_sum_fits_and_pruning_never_widens(codes: np.ndarray) -> None:
    width = data_bits(codes, 4, signed=False)
    extreme = int(np.abs((np.where(codes > 0, 15, 0) * codes).sum(1)).max())
    assert extreme <= 2 ** (width - 1) - 1
    assert width <= worst_case_bits(4, 4, codes.shape[1])
    assert data_bits(np.where(codes > 3, 0, codes), 4, signed=False) <= width


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
