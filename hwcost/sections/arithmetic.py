"""Products: how many, in how many bits, and what they take in energy, area and cycles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from disparsity.hwcost.models.cycles import cycles, network_latency
from disparsity.hwcost.models.energy import mac_area_um2, mac_energy_pj, memory_energy_pj
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.operations import BOPS, REDUCTION_DEFINITION, mac_product, total_bops
from disparsity.hwcost.profiles.technology import Profile
from disparsity.hwcost.sections.totals import reduction
from disparsity.hwcost.tracing.layer_call import LayerCall, Workload


def operations_section(dense: Workload, compressed: Workload) -> dict[str, Any]:
    """Multiply-accumulates and bit operations."""
    before, after = total_bops(dense.calls), total_bops(compressed.calls)
    return {
        "dense_macs": dense.dense_macs,
        "effectual_macs": compressed.effectual_macs,
        "bops": {name: {"dense": before[name], "compressed": after[name]} for name in BOPS},
        "reduction_percent": {
            "macs": reduction(dense.dense_macs, compressed.effectual_macs),
            "bops": reduction(before[REDUCTION_DEFINITION], after[REDUCTION_DEFINITION]),
        },
    }


def hardware_section(
    dense: Workload, compressed: Workload, memory: Mapping[str, Any], profile: Profile
) -> dict[str, Any]:
    """Energy and area. The stored weights are the packed file, or the best format when there is none."""
    formats = memory["formats"]
    stored = memory["packed_file_bytes"] or (min(formats.values()) if formats else None)
    energy = {"dense": mac_energy_pj(dense.calls, profile), "compressed": mac_energy_pj(compressed.calls, profile)}
    area = {"dense": mac_area_um2(dense.calls, profile), "compressed": mac_area_um2(compressed.calls, profile)}
    moved = {
        "dense": memory_energy_pj(dense.calls, memory["dense_bytes"], profile),
        "compressed": None if stored is None else memory_energy_pj(compressed.calls, stored, profile),
    }
    totals = {end: None if moved[end] is None else energy[end] + (moved[end] or 0.0) for end in moved}
    return {
        "profile": profile.name,
        "profile_source": profile.source,
        "mac_energy_pj": energy,
        "mac_area_um2": area,
        "memory_energy_pj": moved,
        "reduction_percent": {
            "mac_energy": reduction(energy["dense"], energy["compressed"]),
            "mac_area": reduction(area["dense"], area["compressed"]),
            "total_energy": reduction(totals["dense"], totals["compressed"]),
        },
    }


def latency_section(dense: Workload, compressed: Workload, machine: Machine) -> dict[str, Any]:
    """Cycles of the plain array, which skips nothing and never waits for memory."""
    before = network_latency(dense.calls, machine.array, machine.dataflow)
    after = network_latency(compressed.calls, machine.array, machine.dataflow)
    return {
        "array": list(machine.array),
        "dataflow": machine.dataflow,
        "cycles": {"dense": before.cycles, "compressed": after.cycles},
        "utilization": after.utilization,
    }


def arithmetic_columns(call: LayerCall, machine: Machine) -> dict[str, Any]:
    """The layer table's columns; cycles and utilization of layers with weights only."""
    known = bool(call.weight_count)
    return {
        "dense_macs": call.dense_macs,
        "effectual_macs": call.effectual_macs,
        "bops": mac_product(call),
        "mac_energy_pj": mac_energy_pj([call], machine.profile),
        "mac_area_um2": mac_area_um2([call], machine.profile),
        "cycles": cycles(call, machine.array, machine.dataflow) if known else None,
        "utilization": network_latency([call], machine.array, machine.dataflow).utilization if known else None,
    }
