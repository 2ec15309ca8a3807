"""The layer table: a row per call, and the dense call of the same name and number beside it."""

from __future__ import annotations

from dataclasses import fields

import torch
from torch import nn

from disparsity.hwcost.costs import Compressed, network_costs
from disparsity.hwcost.layer_table import LayerRow
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.quantities import columns_of
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.quant.bits import LayerBits


def rows() -> tuple[LayerRow, ...]:
    layer = nn.Conv2d(2, 2, 3, padding=1)
    network, inputs = nn.Sequential(layer, nn.ReLU(), layer), (torch.zeros(1, 2, 6, 6),)
    dense = trace_workload(network, inputs)
    compressed = trace_workload(network, inputs, {"0": LayerBits(weights=4, activations=8)})
    return network_costs(dense, Compressed(workload=compressed), Machine(profile=load_profile())).layers


def test_a_layer_that_runs_twice_has_two_rows_and_its_weights_once() -> None:
    weighted = [row for row in rows() if row.weight_count]
    assert [(row.name, row.call, row.dense_bytes) for row in weighted] == [("0", 0, 4 * 36), ("0", 1, None)]
    assert all(row.dense_dram_bytes > row.dram_bytes for row in weighted)


def test_every_field_is_a_column_and_the_name_comes_first() -> None:
    names = [each.name for each in fields(LayerRow)]
    assert names[0] == "name"
    assert list(columns_of(LayerRow)) == names


def test_a_part_without_weights_has_no_cycles_and_no_accumulator() -> None:
    (part,) = (row for row in rows() if not row.weight_count)
    assert (part.cycles, part.accumulator_bits, part.lane_utilization, part.sparsity_percent) == (None,) * 4
    assert part.dram_bytes == part.compulsory_dram_bytes
