from __future__ import annotations

import dataclasses

import pytest

from disparsity.hwcost.models.energy import mac_operator
from disparsity.hwcost.models.sparse_execution import executions, skipped_cycles
from disparsity.hwcost.profiles.technology import load_profile

PROFILE = load_profile()
ARRAY = (16, 16)


def pruned(call, per_filter: tuple[int, ...]):
    return dataclasses.replace(call, nnz=sum(per_filter), nnz_per_filter=per_filter)


def test_gating_saves_energy_and_skipping_cycles_too(anchors) -> None:
    call = pruned(anchors["L1"], (9,) * 16)  # a third of 27 weights in every filter
    unit = mac_operator(call, PROFILE).energy_pj
    by_name = executions([call], PROFILE, ARRAY, "ws")
    assert by_name["dense"].cycles == by_name["gated"].cycles == 4187
    assert by_name["skipped"].cycles == by_name["skipped_balanced"].cycles == -(-4187 // 3)
    assert by_name["dense"].mac_energy_pj == pytest.approx(884_736 * unit)
    assert by_name["gated"].mac_energy_pj == pytest.approx(884_736 * unit / 3)
    assert by_name["skipped"].mac_energy_pj == by_name["gated"].mac_energy_pj


def test_one_full_filter_per_group_takes_all_the_gain_until_the_filters_are_sorted(anchors) -> None:
    call = pruned(anchors["L3"], (288, *[0] * 15) * 2)
    assert skipped_cycles(call, ARRAY, "ws", balanced=False) == 20087
    assert skipped_cycles(call, ARRAY, "ws", balanced=True) == 10044


def test_dense_weights_skip_nothing_and_empty_ones_everything(anchors) -> None:
    assert skipped_cycles(pruned(anchors["L1"], (27,) * 16), ARRAY, "os", balanced=False) == 7295
    assert skipped_cycles(pruned(anchors["L1"], (0,) * 16), ARRAY, "os", balanced=False) == 0
