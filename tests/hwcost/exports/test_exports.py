from __future__ import annotations

import csv
import re

import pytest
import torch
from torch import nn

from disparsity.hwcost.exports import EXPORTS
from disparsity.hwcost.layer_call import Workload
from disparsity.hwcost.systolic import MatrixProduct, cycles, weight_stationary
from disparsity.hwcost.workload import trace_workload


@pytest.fixture(scope="module")
def workload() -> Workload:
    network = nn.Sequential(
        nn.Conv3d(2, 4, 3, padding=1), nn.ReLU(), nn.ConvTranspose3d(4, 4, 4, stride=2, padding=1, groups=2)
    )
    with torch.no_grad():
        network[0].weight[:2] = 0
    return trace_workload(network, (torch.zeros(1, 2, 3, 4, 5),))


def sizes(kind: str, text: str) -> list[tuple[int, int, int]]:
    """Rows, depth and columns of every product in an export, read back by other means than it was written."""
    if kind == "scalesim":
        rows = list(csv.reader(text.splitlines()))
        assert {len(row) for row in rows} == {9}  # a comma ends every row
        assert [row[2:5] for row in rows[1:]] == [[" 1", " 1", " 1"]] * (len(rows) - 1)
        return [(int(row[1]), int(row[5]), int(row[6])) for row in rows[1:]]
    if kind == "zigzag":
        found = re.findall(r"loop_sizes: \[(\d+), (\d+), (\d+)\]", text)
        return [(int(b), int(c), int(k)) for b, k, c in found]
    return [(int(m), int(k), int(n)) for m, n, k in re.findall(r"M: (\d+)\n    N: (\d+)\n    K: (\d+)", text)]


@pytest.mark.parametrize("kind", EXPORTS)
def test_every_export_holds_every_product(kind: str, workload: Workload) -> None:
    found = sizes(kind, EXPORTS[kind](workload))
    assert found == [(60, 54, 4), (60, 2, 128), (60, 2, 128)]
    assert sum(rows * depth * columns for rows, depth, columns in found) == workload.dense_macs


def test_cycles_of_the_exported_products_are_those_of_the_layers(workload: Workload) -> None:
    found = sizes("scalesim", EXPORTS["scalesim"](workload))
    alone = [
        weight_stationary(MatrixProduct(rows=rows, depth=depth, columns=columns), 16, 16)
        for rows, depth, columns in found
    ]
    assert sum(alone) == sum(cycles(call, (16, 16), "ws") for call in workload.calls)


def test_the_density_of_real_weights_goes_to_timeloop(workload: Workload) -> None:
    assert re.findall(r"density: (\S+)", EXPORTS["timeloop"](workload)) == ["0.500000", "1.000000", "1.000000"]


def test_names_are_unique(workload: Workload) -> None:
    names = [row.split(",")[0] for row in EXPORTS["scalesim"](workload).splitlines()[1:]]
    assert names == ["0_c0", "2_c0_g0", "2_c0_g1"]
