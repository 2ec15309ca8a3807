"""Traffic of two layers, word by word."""

from __future__ import annotations

import pytest

from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.quantities import Ends
from disparsity.hwcost.models.traffic import call_traffic, moves, traffic_section
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.hwcost.tracing.layer_call import LayerCall, Workload

MACHINE = Machine(profile=load_profile(), buffer_bytes=1 << 20)
COPY = LayerCall(
    name="volume", kind="copy", call=0, input_shape=(1, 4), output_shape=(1, 8), input_elements=4, activation_bits=8
)


def test_one_layer_by_hand(anchors) -> None:
    """C3D, 4-bit weights, 8-bit inputs, 22-bit sums: 4096 positions, depth 864, 16 filters on 16 x 16, held weights."""
    found = call_traffic(anchors["C3D"], MACHINE)
    folds = 864 // 16
    sums = 4096 * 16 * (folds + folds - 1) * 22 / 8
    assert found.partial_sum_bytes == sums
    assert found.sram_bytes == sums + 4096 * 864 + 864 * 16 / 2
    assert found.compulsory_dram_bytes == found.dram_bytes == 32 * 4096 + 16 * 4096 + 864 * 16 / 2


def test_a_part_without_weights_moves_its_tensors_and_leaves_the_array_alone() -> None:
    found = call_traffic(COPY, MACHINE)
    assert (found.sram_bytes, found.partial_sum_bytes) == (None, None)
    assert found.dram_bytes == found.compulsory_dram_bytes == 12


def test_totals_energies_and_reductions(anchors) -> None:
    before = moves(Workload(calls=(anchors["L1"], COPY), parameters=0, buffers=0), MACHINE)
    after = moves(Workload(calls=(COPY,), parameters=0, buffers=0), MACHINE)
    found = traffic_section(before, after, MACHINE)
    layer = call_traffic(anchors["L1"], MACHINE)
    assert found.dram_bytes == Ends(dense=layer.dram_bytes + 12, compressed=12)
    assert found.sram_bytes == Ends(dense=layer.sram_bytes, compressed=0)
    assert found.dram_energy_pj.compressed == pytest.approx(12 * 8 * 1300 / 64)
    # a buffer 128 times as large as the reference 8 KiB takes sqrt(128) times as much per access
    assert found.sram_energy_pj.dense == pytest.approx(layer.sram_bytes / 8 * 10 * 128**0.5)
    assert found.reduction_percent.dram == pytest.approx(100 * (1 - 12 / (layer.dram_bytes + 12)))
    assert found.untiled == ()


def test_a_buffer_that_holds_no_tile_leaves_the_total_unknown_and_names_the_layer(anchors) -> None:
    machine = Machine(profile=load_profile("aladdin40"), buffer_bytes=8)
    moved = moves(Workload(calls=(anchors["L1"],), parameters=0, buffers=0), machine)
    found = traffic_section(moved, moved, machine)
    assert found.dram_bytes == found.dram_energy_pj == Ends(dense=None, compressed=None)
    assert found.compulsory_dram_bytes.dense > 0
    assert found.sram_energy_pj.dense is None  # the profile has no SRAM
    assert found.untiled == (anchors["L1"].name,)
