"""Lanes in lock-step against a loop over every group of filters."""

from __future__ import annotations

import dataclasses

import pytest

from disparsity.hwcost.models.energy import mac_operator
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.sparse_execution import (
    Executions,
    LaneUtilization,
    SparseExecutionColumns,
    skipped_cycles,
    sparse_execution_columns,
    sparse_execution_section,
)
from disparsity.hwcost.profiles.technology import load_profile

PROFILE = load_profile()
MACHINE = Machine(profile=PROFILE, lanes=4)


def test_utilization_and_cycles_by_hand(anchors) -> None:
    """16 filters of 27 weights on 4 lanes: in order every group has one full filter, sorted only the first has."""
    call = dataclasses.replace(anchors["L1"], nnz=4 * 27, nnz_per_filter=(27, 0, 0, 0) * 4)
    row = sparse_execution_columns(call, MACHINE)
    assert row.lane_utilization == 0.25
    assert row.balanced_lane_utilization == 1.0
    assert (row.skipped_cycles, row.balanced_skipped_cycles) == (4187, 1047)  # ceil(4187 / 4)
    found = sparse_execution_section([call], MACHINE)
    assert found.cycles == Executions(dense=4187, gated=4187, skipped=4187, skipped_balanced=1047)
    assert found.mac_energy_pj.gated == pytest.approx(found.mac_energy_pj.dense / 4)


def test_the_networks_utilization_weighs_every_layer_by_its_work(anchors) -> None:
    thin = dataclasses.replace(anchors["L1"], nnz=4 * 27, nnz_per_filter=(27, 0, 0, 0) * 4)
    full = dataclasses.replace(anchors["L3"], nnz=32 * 288, nnz_per_filter=(288,) * 32)
    found = sparse_execution_section([thin, full], MACHINE)
    done = 4 * 27 * 2048 + 32 * 288 * 512
    steps = 4 * (4 * 27 * 2048 + 8 * 288 * 512)
    assert found.lane_utilization.in_order == pytest.approx(done / steps)


def test_parts_without_weights_are_unknown(anchors) -> None:
    part = dataclasses.replace(anchors["L1"], weight_count=0, nnz=0, nnz_per_filter=())
    assert sparse_execution_columns(part, MACHINE) == SparseExecutionColumns()
    assert sparse_execution_section([part], MACHINE).lane_utilization == LaneUtilization(in_order=None, balanced=None)


ARRAY = (16, 16)


def pruned(call, per_filter: tuple[int, ...]):
    return dataclasses.replace(call, nnz=sum(per_filter), nnz_per_filter=per_filter)


def test_gating_saves_energy_and_skipping_cycles_too(anchors) -> None:
    call = pruned(anchors["L1"], (9,) * 16)  # a third of 27 weights in every filter
    unit = mac_operator(call, PROFILE).energy_pj
    found = sparse_execution_section([call], Machine(profile=PROFILE))
    cycles, energy = found.cycles, found.mac_energy_pj
    assert cycles.dense == cycles.gated == 4187
    assert cycles.skipped == cycles.skipped_balanced == -(-4187 // 3)
    assert energy.dense == pytest.approx(884_736 * unit)
    assert energy.gated == pytest.approx(884_736 * unit / 3)
    assert energy.skipped == energy.gated


def test_one_full_filter_per_group_takes_all_the_gain_until_the_filters_are_sorted(anchors) -> None:
    call = pruned(anchors["L3"], (288, *[0] * 15) * 2)
    assert skipped_cycles(call, ARRAY, "ws", balanced=False) == 20087
    assert skipped_cycles(call, ARRAY, "ws", balanced=True) == 10044


def test_dense_weights_skip_nothing_and_empty_ones_everything(anchors) -> None:
    assert skipped_cycles(pruned(anchors["L1"], (27,) * 16), ARRAY, "os", balanced=False) == 7295
    assert skipped_cycles(pruned(anchors["L1"], (0,) * 16), ARRAY, "os", balanced=False) == 0
