"""What zeros of the real weights save on lanes in lock-step: by gating, by skipping, by skipping in sorted order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.sparse_execution import call_load, executions, skipped_cycles
from disparsity.hwcost.tracing.layer_call import LayerCall


def sparse_execution_section(calls: Sequence[LayerCall], machine: Machine) -> dict[str, Any]:
    """Cycles and arithmetic energy of the compressed network on every kind of machine, without waiting for memory."""
    found = executions(calls, machine.profile, machine.array, machine.dataflow, machine.parallel_filters)
    return {
        "cycles": {name: one.cycles for name, one in found.items()},
        "mac_energy_pj": {name: one.mac_energy_pj for name, one in found.items()},
        "lane_utilization": {
            "in_order": _utilization(calls, machine, balanced=False),
            "balanced": _utilization(calls, machine, balanced=True),
        },
    }


def sparse_execution_columns(call: LayerCall, machine: Machine) -> dict[str, Any]:
    """The layer table's columns; None for a part without weights."""
    columns: dict[str, Any] = {}
    for name, balanced in (("", False), ("balanced_", True)):
        lanes, known = machine.parallel_filters, bool(call.weight_count)
        columns[f"{name}lane_utilization"] = call_load(call, lanes, balanced=balanced).utilization if known else None
        columns[f"{name}skipped_cycles"] = (
            skipped_cycles(call, machine.array, machine.dataflow, balanced=balanced, lanes=lanes) if known else None
        )
    return columns


def _utilization(calls: Sequence[LayerCall], machine: Machine, *, balanced: bool) -> float | None:
    """Products done over the steps of all lanes, every call weighted by how often its weights are used."""
    done = steps = 0
    for call in calls:
        if call.weight_count:
            load = call_load(call, machine.parallel_filters, balanced=balanced)
            done += call.nnz * call.weight_uses
            steps += load.steps * machine.parallel_filters * call.weight_uses
    return done / steps if steps else None
