from __future__ import annotations

import dataclasses

import pytest

from disparsity.base.errors import InputError
from disparsity.hwcost.models.energy import mac_area_um2, mac_energy_pj, mac_operator, memory_energy_pj
from disparsity.hwcost.profiles.technology import load_profile

PROFILE = load_profile("horowitz45")


def test_published_points_of_the_profile() -> None:
    multiply, add = PROFILE.integer_multiply, PROFILE.integer_add
    assert (multiply.at(1).energy_pj, multiply.at(1).area_um2) == (0.2, 282)
    assert multiply.at(16).energy_pj == pytest.approx(3.1, rel=0.04)
    assert multiply.at(16).area_um2 == pytest.approx(3495, rel=0.01)
    assert (add.at(1).energy_pj, add.at(1).area_um2) == (0.03, 36)
    assert add.at(2).energy_pj == pytest.approx(0.05, rel=0.1)
    assert add.at(2).area_um2 == pytest.approx(67, rel=0.05)
    assert add.at(4).energy_pj == pytest.approx(0.1, rel=0.01)
    assert add.at(4).area_um2 == pytest.approx(137, rel=0.01)


def test_float_and_integer_multiply_accumulate_by_hand(anchors) -> None:
    call = anchors["C3D"]  # 4 x 8 bit, accumulator 22 bit
    integer = mac_operator(call, PROFILE)
    assert integer.energy_pj == pytest.approx(0.2 * 0.5 + 0.03 * (22 / 8) ** 0.87)
    assert integer.area_um2 == pytest.approx(282 * 0.5**0.91 + 36 * (22 / 8) ** 0.96)
    floating = mac_operator(dataclasses.replace(call, weight_bits=32), PROFILE)
    assert (floating.energy_pj, floating.area_um2) == (pytest.approx(4.6), pytest.approx(11884))


def test_totals_count_products_whose_weight_is_not_zero(anchors) -> None:
    call = dataclasses.replace(anchors["L1"], nnz=10)
    unit = mac_operator(call, PROFILE)
    assert mac_energy_pj([call, call], PROFILE) == pytest.approx(2 * 10 * 2048 * unit.energy_pj)
    assert mac_area_um2([call], PROFILE) == pytest.approx(10 * 2048 * unit.area_um2)


@pytest.mark.parametrize("field", ["weight_bits", "activation_bits"])
def test_more_bits_never_cost_less(anchors, field: str) -> None:
    costs = [
        mac_operator(dataclasses.replace(anchors["L3"], **{field: bits}), PROFILE) for bits in (2, 3, 4, 6, 8, 16, 32)
    ]
    assert [cost.energy_pj for cost in costs] == sorted(cost.energy_pj for cost in costs)
    assert [cost.area_um2 for cost in costs] == sorted(cost.area_um2 for cost in costs)


def test_memory_energy_is_compulsory_traffic(anchors) -> None:
    call = anchors["L1"]
    bits = (3 * 32 * 64 + 16 * 32 * 64) * 8 + 100 * 8
    assert memory_energy_pj([call], 100, PROFILE) == pytest.approx(bits * 1300 / 64)


def test_a_wrong_profile_gets_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'horowitz45'"):
        load_profile("horowitz54")
