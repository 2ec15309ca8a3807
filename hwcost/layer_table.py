"""Layer table: one row per executed call, with the columns of every metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from disparsity.hwcost.models.accumulators import AccumulatorColumns, Sums, accumulator_columns
from disparsity.hwcost.models.calls import CallColumns, call_columns
from disparsity.hwcost.models.cycles import CycleColumns, cycle_columns
from disparsity.hwcost.models.effectual import EffectualColumns, effectual_columns
from disparsity.hwcost.models.effectual_macs import EffectualMacs
from disparsity.hwcost.models.energy import EnergyColumns, energy_columns
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.operations import OperationColumns, operation_columns
from disparsity.hwcost.models.roofline import RooflineColumns, roofline_columns
from disparsity.hwcost.models.shift_and_add import MultiplierColumns, ShiftAdds, multiplier_columns
from disparsity.hwcost.models.sparse_execution import SparseExecutionColumns, sparse_execution_columns
from disparsity.hwcost.models.storage import LayerStorage, StorageColumns, storage_columns
from disparsity.hwcost.models.traffic import CallTraffic, Moves, TrafficColumns, traffic_columns
from disparsity.hwcost.tracing.layer_call import LayerCall


@dataclass(frozen=True, kw_only=True)
class LayerRow(
    MultiplierColumns,
    EffectualColumns,
    SparseExecutionColumns,
    RooflineColumns,
    TrafficColumns,
    StorageColumns,
    CycleColumns,
    EnergyColumns,
    OperationColumns,
    AccumulatorColumns,
    CallColumns,
):
    """One executed call. The fields of the last class come first, so that a row begins with the layer's name.

    None is a figure that is not known or does not apply; a field that an older report lacks is None too.
    """


@dataclass(frozen=True, kw_only=True)
class LayerInputs:
    """What the rows are computed from.

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


def layer_rows(inputs: LayerInputs, machine: Machine) -> tuple[LayerRow, ...]:
    """The rows in the order of execution; a dense call belongs to the compressed one of its name and number."""
    dense = {(call.name, call.call): (call, traffic) for call, traffic in inputs.dense}
    return tuple(
        _row(call, traffic, dense.get((call.name, call.call)), inputs, machine) for call, traffic in inputs.compressed
    )


def _row(
    call: LayerCall,
    traffic: CallTraffic,
    dense: tuple[LayerCall, CallTraffic] | None,
    inputs: LayerInputs,
    machine: Machine,
) -> LayerRow:
    columns = (
        call_columns(call),
        accumulator_columns(call, inputs.sums, inputs.grid_codes, inputs.seen_codes),
        operation_columns(call),
        energy_columns(call, machine.profile),
        cycle_columns(call, machine.array, machine.dataflow),
        storage_columns(call, inputs.storage.get(call.name)),
        traffic_columns(traffic, dense[1] if dense else None),
        roofline_columns(call, traffic, dense, machine),
        sparse_execution_columns(call, machine),
        effectual_columns(call, inputs.effectual),
        multiplier_columns(call, inputs.adders),
    )
    return LayerRow(**{name: value for each in columns for name, value in vars(each).items()})
