"""What bounds every layer, the multipliers or the memory's bandwidth, and the cycles of the slower of both."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from disparsity.hwcost.models.cycles import cycles
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.roofline import RooflinePoint, roofline
from disparsity.hwcost.models.sparse_execution import skipped_cycles
from disparsity.hwcost.sections.totals import total
from disparsity.hwcost.sections.traffic import CallTraffic, Moves
from disparsity.hwcost.tracing.layer_call import LayerCall


def call_roofline(call: LayerCall, traffic: CallTraffic, machine: Machine) -> RooflinePoint | None:
    """Where a call stands on the plain array, which does every product; None where its traffic is unknown or 0."""
    if not traffic.dram_bytes:
        return None
    return roofline(
        call.dense_macs,
        traffic.dram_bytes,
        cycles(call, machine.array, machine.dataflow),
        multipliers=machine.multipliers,
        bytes_per_cycle=machine.dram_bytes_per_cycle,
    )


def roofline_section(dense: Moves, compressed: Moves, machine: Machine) -> dict[str, Any]:
    """Cycles with the memory in the way: of both networks on the plain array, and of one that skips zeros."""
    found = {
        "dense": bounded_cycles(dense, machine, skipping=False),
        "compressed": bounded_cycles(compressed, machine, skipping=False),
        "skipped": bounded_cycles(compressed, machine, skipping=True),
    }
    return {
        "multipliers": machine.multipliers,
        "ridge_macs_per_byte": machine.multipliers / machine.dram_bytes_per_cycle,
        "cycles": {name: count for name, (count, _) in found.items()},
        "memory_bound_cycles_percent": {name: percent for name, (_, percent) in found.items()},
        "milliseconds": {name: machine.milliseconds(count) for name, (count, _) in found.items()},
    }


def roofline_columns(
    call: LayerCall, traffic: CallTraffic, dense: tuple[LayerCall, CallTraffic] | None, machine: Machine
) -> Mapping[str, Any]:
    """The layer table's columns; `dense` is the same call of the dense network."""
    point = call_roofline(call, traffic, machine)
    before = call_roofline(*dense, machine) if dense else None
    return {
        "intensity_macs_per_byte": point.intensity_macs_per_byte if point else None,
        "attainable_macs_per_cycle": point.attainable_macs_per_cycle if point else None,
        "bound": point.bound if point else None,
        "roofline_cycles": point.cycles if point else None,
        "dense_intensity_macs_per_byte": before.intensity_macs_per_byte if before else None,
        "dense_roofline_cycles": before.cycles if before else None,
    }


def bounded_cycles(moved: Moves, machine: Machine, *, skipping: bool) -> tuple[float | None, float | None]:
    """Cycles of all calls, and the percentage of them in which the memory is what is waited for."""
    waits: list[tuple[float | None, bool]] = []
    for call, traffic in moved:
        busy = _array_cycles(call, machine, skipping=skipping)
        transfer = None if traffic.dram_bytes is None else math.ceil(traffic.dram_bytes / machine.dram_bytes_per_cycle)
        waits.append((None if transfer is None else max(busy, transfer), transfer is not None and transfer > busy))
    whole = total(count for count, _ in waits)
    memory = total(count for count, bound in waits if bound)
    return whole, 100 * memory / whole if whole and memory is not None else None


def _array_cycles(call: LayerCall, machine: Machine, *, skipping: bool) -> int:
    if not (skipping and call.weight_count):
        return cycles(call, machine.array, machine.dataflow)
    return skipped_cycles(call, machine.array, machine.dataflow, balanced=False, lanes=machine.parallel_filters)
