from __future__ import annotations

import dataclasses

from disparsity.hwcost.models.comparison import Candidate, compare
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.hwcost.tracing.layer_call import Workload
from disparsity.hwcost.tracing.live_activations import ActivationPeak
from disparsity.registries import summaries

PEAK = ActivationPeak(dense_bytes=400, compressed_bytes=100, alive=())
PROFILES = [load_profile(name) for name in summaries("profiles")]


def candidate(name: str, *calls, stored: int = 1000) -> Candidate:
    return Candidate(name=name, workload=Workload(calls=calls, parameters=7, buffers=0), stored_bytes=stored, peak=PEAK)


def test_a_network_that_does_less_is_cheaper_under_every_profile(anchors) -> None:
    less = dataclasses.replace(anchors["L3"], nnz=anchors["L3"].nnz // 2)
    found = compare(
        [candidate("a", anchors["L3"]), candidate("b", less)], (8, 8), Machine(profile=PROFILES[0]), PROFILES
    )
    assert {row.cheapest for row in found.profiles if row.figure == "mac_energy_pj"} == {"b"}
    assert found.conclusion_changes["mac_energy_pj"] is False
    assert [one.effectual_macs for one in found.networks] == [4_718_592, 2_359_296]
    eyeriss = [row for row in found.profiles if (row.profile, row.figure) == ("eyeriss65", "mac_area_um2")]
    assert eyeriss[0].cheapest is None


def test_profiles_may_disagree(anchors) -> None:
    """Float work is cheap beside wide integers in one table and not in another."""
    floating = dataclasses.replace(anchors["L3"], weight_bits=32, activation_bits=32, nnz=100)
    integer = dataclasses.replace(anchors["L3"], weight_bits=16, activation_bits=16, nnz=440)
    found = compare(
        [candidate("float", floating), candidate("int", integer)], (8, 8), Machine(profile=PROFILES[0]), PROFILES
    )
    # 45 nm: 4.6 pJ against 4.4 x 0.87 pJ; 40 nm: 12.9 against 4.4 x 3.4; Eyeriss: 4 against 4.4 x 1
    cheapest = {row.profile: row.cheapest for row in found.profiles if row.figure == "mac_energy_pj"}
    assert cheapest == {"horowitz45": "int", "aladdin40": "float", "eyeriss65": "float"}
    assert found.conclusion_changes["mac_energy_pj"] is True


def test_one_profile_settles_nothing(anchors) -> None:
    found = compare(
        [candidate("a", anchors["L1"]), candidate("b", anchors["L3"])],
        (8, 8),
        Machine(profile=PROFILES[0]),
        PROFILES[:1],
    )
    assert set(found.conclusion_changes.values()) == {None}


def test_traffic_and_waiting_for_memory_side_by_side(anchors) -> None:
    machine = Machine(profile=PROFILES[0], dram_bytes_per_cycle=1.0, buffer_bytes=1 << 20)
    found = compare([candidate("a", anchors["L1"]), candidate("b", anchors["L3"])], (8, 8), machine, PROFILES)
    first = found.networks[0]
    assert first.dram_bytes == first.roofline_cycles == first.roofline_skipped_cycles == 216 + 19 * 2048
