"""Cycles with the memory in the way, against the slower of both by hand."""

from __future__ import annotations

import dataclasses

import pytest

from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.roofline import (
    Bounded,
    RooflineColumns,
    roofline,
    roofline_columns,
    roofline_section,
)
from disparsity.hwcost.models.traffic import call_traffic, moves
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.hwcost.tracing.layer_call import LayerCall, Workload

WIDE = Machine(profile=load_profile(), buffer_bytes=1 << 20, dram_bytes_per_cycle=100.0, clock_mhz=1.0)
NARROW = dataclasses.replace(WIDE, dram_bytes_per_cycle=1.0)
COPY = LayerCall(name="volume", kind="copy", call=0, input_shape=(1, 50), output_shape=(1, 150), input_elements=50)


def workload(*calls: LayerCall) -> Workload:
    return Workload(calls=calls, parameters=0, buffers=0)


def test_a_fast_memory_leaves_the_arrays_cycles(anchors) -> None:
    moved = moves(workload(anchors["L1"], anchors["C3D"]), WIDE)
    found = roofline_section(moved, moved, WIDE)
    assert found.cycles.dense == 4187 + 223_667
    assert found.memory_bound_cycles_percent.dense == 0
    assert found.milliseconds.dense == pytest.approx(227.854)
    assert (found.multipliers, found.ridge_macs_per_byte) == (256, 2.56)


def test_a_slow_memory_is_waited_for_by_parts_without_weights_too(anchors) -> None:
    call = anchors["L1"]
    moved = moves(workload(call, COPY), NARROW)
    found = roofline_section(moved, moved, NARROW)
    assert call_traffic(call, NARROW).dram_bytes == 216 + 19 * 2048  # 39 128 bytes, one per cycle
    assert found.cycles.compressed == 39_128 + 4 * 200
    assert found.memory_bound_cycles_percent.compressed == 100
    row = roofline_columns(call, moved[0][1], None, NARROW)
    assert row.intensity_macs_per_byte == pytest.approx(884_736 / 39_128)
    assert (row.bound, row.roofline_cycles) == ("memory", 39_128)
    assert row.attainable_macs_per_cycle == pytest.approx(884_736 / 39_128)
    assert row.dense_roofline_cycles is None


def test_skipping_zeros_saves_no_more_than_the_memory_allows(anchors) -> None:
    call = dataclasses.replace(anchors["C3D"], nnz=0, nnz_per_filter=(0,) * 16)
    moved = moves(workload(call), WIDE)
    found = roofline_section(moved, moved, WIDE)
    assert found.cycles.compressed == 223_667
    assert found.cycles.skipped == -(-(48 * 4096 + 864 * 8) // 100)
    assert found.memory_bound_cycles_percent.skipped == 100


def test_unknown_traffic_leaves_cycles_unknown(anchors) -> None:
    machine = dataclasses.replace(WIDE, buffer_bytes=8)
    moved = moves(workload(anchors["L1"]), machine)
    found = roofline_section(moved, moved, machine)
    assert found.cycles == found.milliseconds == Bounded(dense=None, compressed=None, skipped=None)
    assert roofline_columns(anchors["L1"], moved[0][1], moved[0], machine) == RooflineColumns()


def test_times_have_rows_where_the_clock_is_known(anchors) -> None:
    moved = moves(workload(anchors["L1"]), WIDE)
    timed = roofline_section(moved, moved, WIDE).rows()
    assert [row.unit for row in timed] == ["count", "count", "percent", "percent", "ms", "ms"]
    clockless = dataclasses.replace(WIDE, clock_mhz=None)
    assert len(roofline_section(moved, moved, clockless).rows()) == 4


def test_both_sides_of_the_ridge() -> None:
    # 256 multipliers and 16 bytes per cycle: the ridge is at 16 products per byte.
    memory = roofline(8000, 1000, 40, multipliers=256, bytes_per_cycle=16)
    assert (memory.intensity_macs_per_byte, memory.attainable_macs_per_cycle) == (8.0, 128.0)
    assert (memory.bound, memory.cycles) == ("memory", 63)
    compute = roofline(64_000, 1000, 260, multipliers=256, bytes_per_cycle=16)
    assert (compute.bound, compute.cycles, compute.attainable_macs_per_cycle) == ("compute", 260, 256.0)


def test_a_slow_array_is_bound_by_itself_below_the_ridge_too() -> None:
    point = roofline(8000, 1000, 900, multipliers=256, bytes_per_cycle=16)
    assert (point.bound, point.cycles) == ("compute", 900)
    assert point.attainable_macs_per_cycle == pytest.approx(128)
