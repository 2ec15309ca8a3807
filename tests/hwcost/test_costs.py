from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from disparsity.base.trace.dry_run import trace_network
from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer
from disparsity.hwcost.costs import Compressed, network_costs
from disparsity.hwcost.models.coverage import CoverageSection
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.quantities import Ends
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.hwcost.tracing.layer_call import Workload
from disparsity.hwcost.tracing.live_activations import peak_activations
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.quant.bits import LayerBits

MACHINE = Machine(profile=load_profile())
INPUT = (torch.zeros(1, 2, 6, 6),)
BITS = {"0": LayerBits(weights=4, activations=8)}


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 3, padding=1))


def compressed() -> tuple[Workload, list[PackedLayer | FloatLayer]]:
    pruned = network()
    codes = np.zeros((4, 2, 3, 3), np.int64)
    codes[0, 0, 1, 1], codes[2, 1, 0, 0] = 7, -3
    steps = np.full(4, 0.25, np.float16)
    with torch.no_grad():
        pruned[0].weight.copy_(torch.from_numpy(codes * 0.25))
    layers = [
        PackedLayer(name="0", codes=codes, steps=steps, bits=4),
        FloatLayer(name="2", values=pruned[2].weight.detach().numpy()),
    ]
    return trace_workload(pruned, INPUT, BITS), layers


def test_sections_by_hand() -> None:
    dense = trace_workload(network(), INPUT)
    workload, layers = compressed()
    peak = peak_activations(network(), trace_network(network(), INPUT), BITS)
    cost = network_costs(
        dense, Compressed(workload=workload, layers=layers, packed_file_bytes=500, peak=peak), MACHINE, peak
    )
    parameters = 72 + 4 + 4 + 4 + 36 + 1
    memory = cost.memory
    assert memory.dense_bytes == 4 * (parameters + 8)
    assert memory.values_bytes == 2 * 4 / 8 + 36 * 4
    assert memory.formats["dense"] == 72 * 4 // 8 + 4 * 2 + 36 * 4
    assert memory.formats["bitmap"] == (72 + 2 * 4) // 8 + 4 * 2 + 36 * 4 + 5
    assert memory.best_format == min(memory.formats, key=memory.formats.get)
    assert memory.reduction_percent == pytest.approx(100 * (1 - 500 / memory.dense_bytes))
    operations = cost.operations
    assert operations.dense_macs == (72 + 36) * 36
    assert operations.effectual_macs == (2 + 36) * 36
    assert operations.bops["mac_product"].dense == (72 + 36) * 36 * 1024
    assert operations.bops["mac_product"].compressed == 2 * 36 * 32 + 36 * 36 * 1024
    assert cost.latency.cycles.dense == cost.latency.cycles.compressed
    assert cost.coverage == CoverageSection(macs_modelled_percent=100.0, bytes_modelled_percent=100.0, unmodelled=())
    assert cost.hardware.mac_energy_pj.dense == pytest.approx(108 * 36 * 4.6)


def test_what_is_unknown_is_null_not_zero() -> None:
    workload = trace_workload(network(), INPUT)
    cost = network_costs(workload, Compressed(workload=workload), MACHINE)
    memory = cost.memory
    assert memory.formats == {}
    unknown = (memory.values_bytes, memory.best_format, memory.packed_file_bytes, memory.reduction_percent)
    assert unknown == (None,) * 4
    assert cost.activations.peak_bytes == Ends(dense=None, compressed=None)
    assert cost.hardware.memory_energy_pj.compressed is None
    assert cost.hardware.reduction_percent.total_energy is None


def test_a_dense_network_skips_nothing_even_where_a_weight_is_zero() -> None:
    zeroed = network()
    nn.init.zeros_(zeroed[0].weight)
    workload = trace_workload(zeroed, INPUT)
    cost = network_costs(workload, Compressed(workload=workload), MACHINE)
    assert cost.hardware.mac_energy_pj.dense == pytest.approx(108 * 36 * 4.6)
    assert cost.operations.effectual_macs == 36 * 36
