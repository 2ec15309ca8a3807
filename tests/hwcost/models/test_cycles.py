from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from disparsity.base.errors import InputError
from disparsity.hwcost.models.cycles import DATAFLOWS, MatrixProduct, cycles, lowered, network_latency, structured

ARRAY = (16, 16)
GOLDEN = {  # from a cycle-accurate simulator (SCALE-Sim 3.0.0), 16x16; L2 with the correct output size
    "os": {"L1": 7295, "L2": 11135, "L3": 20351, "C3D": 228863},
    "ws": {"L1": 4187, "L2": 10043, "L3": 20087, "C3D": 223667},
    "is": {"L1": 15871, "L3": 44927},
}


@pytest.mark.parametrize("dataflow", GOLDEN)
def test_golden_cycles(anchors, dataflow: str) -> None:
    assert {name: cycles(anchors[name], ARRAY, dataflow) for name in GOLDEN[dataflow]} == GOLDEN[dataflow]


def test_two_of_four_sparsity_shortens_the_product(anchors) -> None:
    assert DATAFLOWS["ws"](structured(lowered(anchors["C3D"]), 2, 4), 16, 16) == 111833  # SCALE-Sim 3.0.0


def test_groups_run_one_after_the_other(trace_layer) -> None:
    call = trace_layer(nn.Conv2d(4, 6, 3, groups=2), 1, 4, 5, 5)
    assert lowered(call) == MatrixProduct(rows=9, depth=18, columns=3, groups=2)
    assert cycles(call, ARRAY, "os") == 2 * (18 + 30 - 1)


def test_a_transposed_convolution_is_a_product_over_input_positions(trace_layer) -> None:
    call = trace_layer(nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), 1, 4, 5, 5)
    product = lowered(call)
    assert product == MatrixProduct(rows=25, depth=2, columns=27, groups=2)
    assert product.rows * product.depth * product.columns * product.groups == call.dense_macs


def test_zeros_change_neither_cycles_nor_utilization(trace_layer) -> None:
    layer = nn.Conv2d(4, 6, 3)
    before = network_latency([trace_layer(layer, 1, 4, 5, 5)], ARRAY, "ws")
    torch.nn.init.zeros_(layer.weight)
    assert network_latency([trace_layer(layer, 1, 4, 5, 5)], ARRAY, "ws") == before


@given(
    st.builds(MatrixProduct, rows=st.integers(1, 300), depth=st.integers(1, 300), columns=st.integers(1, 300)),
    st.integers(1, 32),
    st.integers(1, 32),
    st.sampled_from(sorted(DATAFLOWS)),
)
def test_no_multiplier_works_twice_at_once(product: MatrixProduct, rows: int, columns: int, dataflow: str) -> None:
    taken = DATAFLOWS[dataflow](product, rows, columns)
    assert taken * rows * columns >= product.rows * product.depth * product.columns - rows * columns


def test_wrong_settings_are_refused(anchors) -> None:
    with pytest.raises(InputError, match="os, ws, is"):
        network_latency([anchors["L1"]], ARRAY, "xs")
    with pytest.raises(InputError, match="0x16"):
        network_latency([anchors["L1"]], (0, 16), "ws")
