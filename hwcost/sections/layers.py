"""The layer table: one row per executed call, every column that any section has of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from disparsity.hwcost.models.effectual_macs import EffectualMacs
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.shift_and_add import ShiftAdds
from disparsity.hwcost.models.storage import LayerStorage
from disparsity.hwcost.sections.accumulators import Sums, accumulator_columns
from disparsity.hwcost.sections.arithmetic import arithmetic_columns
from disparsity.hwcost.sections.effectual import effectual_columns
from disparsity.hwcost.sections.memory import storage_columns
from disparsity.hwcost.sections.multipliers import multiplier_columns
from disparsity.hwcost.sections.roofline import roofline_columns
from disparsity.hwcost.sections.sparse_execution import sparse_execution_columns
from disparsity.hwcost.sections.traffic import CallTraffic, Moves, traffic_columns
from disparsity.hwcost.tracing.layer_call import LayerCall


@dataclass(frozen=True, kw_only=True)
class LayerFacts:
    """What is known of the layers.

    Attributes:
        dense, compressed: every call with its traffic.
        storage: of the compressed layers, by name.
        sums: sizes of integer weights that meet in one output, by name.
        grid_codes, seen_codes: the largest input code by the grid and on real pairs, by name.
        effectual: products by which zeros are skipped, by name and number of the call.
        adders: of layers with integer weights, by name.

    """

    dense: Moves
    compressed: Moves
    storage: Mapping[str, LayerStorage]
    sums: Sums
    grid_codes: Sums
    seen_codes: Sums
    effectual: Mapping[tuple[str, int], EffectualMacs]
    adders: Mapping[str, ShiftAdds]


def layer_rows(facts: LayerFacts, machine: Machine) -> list[dict[str, Any]]:
    """The rows in the order of execution; a dense call belongs to the compressed one of its name and number."""
    dense = {(call.name, call.call): (call, traffic) for call, traffic in facts.dense}
    return [
        _row(call, traffic, dense.get((call.name, call.call)), facts, machine) for call, traffic in facts.compressed
    ]


def _row(
    call: LayerCall,
    traffic: CallTraffic,
    dense: tuple[LayerCall, CallTraffic] | None,
    facts: LayerFacts,
    machine: Machine,
) -> dict[str, Any]:
    return {
        **_record(call),
        "output_elements": call.output_elements,
        "sparsity_percent": 100 * (1 - call.nnz / call.weight_count) if call.weight_count else None,
        **accumulator_columns(call, facts.sums, facts.grid_codes, facts.seen_codes),
        **arithmetic_columns(call, machine),
        **storage_columns(call, facts.storage.get(call.name)),
        **traffic_columns(traffic, dense[1] if dense else None),
        **roofline_columns(call, traffic, dense, machine),
        **sparse_execution_columns(call, machine),
        **effectual_columns(call, facts.effectual),
        **multiplier_columns(call, facts.adders),
    }


def _record(call: LayerCall) -> dict[str, Any]:
    record = asdict(call)
    del record["nnz_per_filter"]
    return {name: list(value) if isinstance(value, tuple) else value for name, value in record.items()}
