from __future__ import annotations

import csv
import math
import re

import pytest
import torch
from torch import nn

from disparsity.hwcost.exports import scalesim, timeloop, zigzag
from disparsity.hwcost.models.cycles import MatrixProduct, cycles, weight_stationary
from disparsity.hwcost.tracing.layer_call import LayerCall, Workload
from disparsity.hwcost.tracing.workload import trace_workload

RENDER = {"scalesim": scalesim.topology, "zigzag": zigzag.workload_yaml, "timeloop": timeloop.problems_yaml}


@pytest.fixture(scope="module")
def workload() -> Workload:
    network = nn.Sequential(
        nn.Conv3d(2, 4, 3, padding=1), nn.ReLU(), nn.ConvTranspose3d(4, 4, 4, stride=2, padding=1, groups=2)
    )
    with torch.no_grad():
        network[0].weight[:2] = 0
    return trace_workload(network, (torch.zeros(1, 2, 3, 4, 5),))


def traced(layer: nn.Module, *shape: int) -> Workload:
    return trace_workload(nn.Sequential(layer), (torch.zeros(shape),))


def sizes(kind: str, text: str) -> list[tuple[int, int, int]]:
    """Rows, depth and columns of every product in an export, read back by other means than it was written."""
    if kind == "scalesim":
        return [product_of_topology(row) for row in topology_rows(text)]
    return [(int(m), int(k), int(n)) for m, n, k in re.findall(r"M: (\d+)\n    N: (\d+)\n    K: (\d+)", text)]


def topology_rows(text: str) -> list[list[int]]:
    rows = list(csv.reader(text.splitlines()))
    assert {len(row) for row in rows} == {9}  # a comma ends every row
    return [[int(cell) for cell in row[1:8]] for row in rows[1:]]


def product_of_topology(row: list[int]) -> tuple[int, int, int]:
    """As SCALE-Sim 3.0.0 reads a row: it rounds output sizes up."""
    height, width, kernel_y, kernel_x, channels, filters, stride = row
    outputs = [math.ceil((size - k + stride) / stride) for size, k in ((height, kernel_y), (width, kernel_x))]
    return math.prod(outputs), kernel_y * kernel_x * channels, filters


def only(workload: Workload) -> LayerCall:
    (call,) = (call for call in workload.calls if call.weight_count)
    return call


@pytest.mark.parametrize("kind", ["scalesim", "timeloop"])
def test_exports_of_products_hold_every_product(kind: str, workload: Workload) -> None:
    found = sizes(kind, RENDER[kind](workload))
    assert found == [(60, 54, 4), (60, 2, 128), (60, 2, 128)]
    assert sum(rows * depth * columns for rows, depth, columns in found) == workload.dense_macs


def test_cycles_of_the_exported_products_are_those_of_the_layers(workload: Workload) -> None:
    found = sizes("scalesim", scalesim.topology(workload))
    alone = [
        weight_stationary(MatrixProduct(rows=rows, depth=depth, columns=columns), 16, 16)
        for rows, depth, columns in found
    ]
    assert sum(alone) == sum(cycles(call, (16, 16), "ws") for call in workload.calls)


def test_the_density_of_real_weights_goes_to_timeloop(workload: Workload) -> None:
    assert re.findall(r"density: (\S+)", timeloop.problems_yaml(workload)) == ["0.500000", "1.000000", "1.000000"]


def test_names_are_unique(workload: Workload) -> None:
    names = [row.split(",")[0] for row in scalesim.topology(workload).splitlines()[1:]]
    assert names == ["0_c0", "2_c0_g0", "2_c0_g1"]
    assert re.findall(r"name: (\S+)", zigzag.workload_yaml(workload)) == ["0_c0", "2_c0"]


def test_scalesim_gets_the_padded_input_that_a_plain_convolution_reads() -> None:
    # A stride of 2 leaves the far padding unread; given 34 x 66, SCALE-Sim would count 17 x 33 outputs.
    layer = nn.Conv2d(16, 32, 3, stride=2, padding=1)
    (row,) = topology_rows(scalesim.topology(traced(layer, 1, 16, 32, 64)))
    assert row == [33, 65, 3, 3, 16, 32, 2]
    assert product_of_topology(row) == (16 * 32, 144, 32)


@pytest.mark.parametrize(
    ("layer", "batch"),
    [
        (nn.Conv2d(4, 8, 3, padding=2, dilation=2), 1),
        (nn.Conv2d(4, 8, 3, stride=(1, 2), padding=1), 1),
        (nn.Conv2d(4, 8, 3, padding=1), 2),
    ],
    ids=["dilated", "uneven stride", "batch"],
)
def test_what_scalesim_cannot_hold_is_a_product(layer: nn.Module, batch: int) -> None:
    found = traced(layer, batch, 4, 6, 8)
    (row,) = topology_rows(scalesim.topology(found))
    assert row[1:4] == [1, 1, 1]
    assert math.prod(product_of_topology(row)) == only(found).dense_macs


def test_groups_are_rows_of_their_own_for_scalesim() -> None:
    found = traced(nn.Conv2d(8, 16, 3, padding=1, groups=4), 1, 8, 6, 10)
    rows = topology_rows(scalesim.topology(found))
    assert rows == [[8, 12, 3, 3, 2, 4, 1]] * 4


def test_no_name_makes_scalesim_repeat_a_layer_per_channel() -> None:
    network = nn.Sequential()
    network.add_module("ADPBlock", nn.Conv2d(3, 4, 1))
    text = scalesim.topology(trace_workload(network, (torch.zeros(1, 3, 2, 2),)))
    assert "DP" not in text
    assert "ADpBlock_c0, 2, 2, 1, 1, 3, 4, 1," in text
