"""Sparse execution: gating of zero weights saves energy and no time, skipping saves both as far as lanes keep step.

Three machines on the same array, which differ in the effect of a zero weight: nothing special (dense), its multiplier
rests for the cycle (gated), or its cycle is left out (skipped, with filters in lock-step over lanes, by default the
array's columns).
Source: the distinction of gating and skipping in Wu et al., Sparseloop, MICRO 2022, section 3.
Interpretation: skipping shortens the dense dataflow's cycles by the lanes' speed-up; a layer without any product
left takes no cycle. Gated cycles cost no arithmetic energy; reading operands is not charged here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from disparsity.hwcost.models.cycles import cycles
from disparsity.hwcost.models.energy import mac_operator
from disparsity.hwcost.models.lane_imbalance import LaneLoad, lane_load
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.quantities import Column, Number, Row, Unit, lone_row
from disparsity.hwcost.tracing.layer_call import LayerCall

_LANES = "Parashar et al., SCNN, ISCA 2017, section V"
_BALANCED = "Gondimalla et al., SparTen, MICRO 2019, section 4"


@dataclass(frozen=True, kw_only=True)
class Executions:
    """A figure of the compressed network by what the machine does with a zero weight."""

    dense: Number | None
    gated: Number | None
    skipped: Number | None
    skipped_balanced: Number | None


@dataclass(frozen=True, kw_only=True)
class LaneUtilization:
    """Products done over the steps of all lanes, 0..1, with the filters in order and sorted by their load."""

    in_order: Number | None
    balanced: Number | None


@dataclass(frozen=True, kw_only=True)
class SparseExecutionSection:
    """Cycles and arithmetic energy of the compressed network on every kind of machine; memory is not waited for."""

    cycles: Executions
    mac_energy_pj: Executions
    lane_utilization: LaneUtilization

    def rows(self) -> list[Row]:
        """What gating and skipping save beside the machine that multiplies zeros."""
        group, cycles, energy = "zeros at these bits: multiplied, or not", self.cycles, self.mac_energy_pj

        def beside(label: str, unit: Unit, before: float | None, after: float | None) -> Row:
            return Row(group=group, label=label, unit=unit, before=before, after=after)

        return [
            beside("gating: cycles", "count", cycles.dense, cycles.gated),
            beside("gating, skipping: MAC energy", "pJ", energy.dense, energy.gated),
            beside("skipping in order: cycles", "count", cycles.dense, cycles.skipped),
            beside("skipping balanced: cycles", "count", cycles.dense, cycles.skipped_balanced),
            lone_row(group, "lane utilization in order", "fraction", self.lane_utilization.in_order),
            lone_row(group, "lane utilization balanced", "fraction", self.lane_utilization.balanced),
        ]


@dataclass(frozen=True, kw_only=True)
class SparseExecutionColumns:
    """Lanes in lock-step on one call with weights."""

    lane_utilization: Annotated[
        Number | None,
        Column(
            title="lane utilization",
            formula="Σ non-zero / (lanes × Σ over groups of the largest non-zero), one filter per lane in lock-step, "
            "0..1",
            source=_LANES,
        ),
    ] = None
    skipped_cycles: Annotated[
        int | None,
        Column(
            title="cycles, skipping",
            formula="cycles × steps of the lanes without zeros / steps with; gating takes as many as dense",
            source=_LANES,
        ),
    ] = None
    balanced_lane_utilization: Annotated[
        Number | None,
        Column(
            title="lane utilization, balanced",
            formula="as lane utilization, the filters sorted by their non-zero weights first",
            source=_BALANCED,
        ),
    ] = None
    balanced_skipped_cycles: Annotated[
        int | None,
        Column(
            title="cycles, skipping balanced",
            formula="as cycles, skipping, the filters sorted first",
            source=_BALANCED,
        ),
    ] = None


def sparse_execution_section(calls: Iterable[LayerCall], machine: Machine) -> SparseExecutionSection:
    """Totals over all calls with weights."""
    calls = [call for call in calls if call.weight_count]
    dense_cycles = sum(cycles(call, machine.array, machine.dataflow) for call in calls)
    dense_pj = sum(call.dense_macs * mac_operator(call, machine.profile).energy_pj for call in calls)
    effectual_pj = sum(call.effectual_macs * mac_operator(call, machine.profile).energy_pj for call in calls)
    in_order, balanced = (
        sum(_skipped(call, machine, balanced=balanced) for call in calls) for balanced in (False, True)
    )
    return SparseExecutionSection(
        cycles=Executions(dense=dense_cycles, gated=dense_cycles, skipped=in_order, skipped_balanced=balanced),
        mac_energy_pj=Executions(
            dense=dense_pj, gated=effectual_pj, skipped=effectual_pj, skipped_balanced=effectual_pj
        ),
        lane_utilization=LaneUtilization(
            in_order=_utilization(calls, machine, balanced=False), balanced=_utilization(calls, machine, balanced=True)
        ),
    )


def sparse_execution_columns(call: LayerCall, machine: Machine) -> SparseExecutionColumns:
    """The columns of a call; None for a part without weights."""
    if not call.weight_count:
        return SparseExecutionColumns()
    lanes = machine.parallel_filters
    return SparseExecutionColumns(
        lane_utilization=call_load(call, lanes, balanced=False).utilization,
        skipped_cycles=_skipped(call, machine, balanced=False),
        balanced_lane_utilization=call_load(call, lanes, balanced=True).utilization,
        balanced_skipped_cycles=_skipped(call, machine, balanced=True),
    )


def skipped_cycles(
    call: LayerCall, array: tuple[int, int], dataflow: str, *, balanced: bool, lanes: int | None = None
) -> int:
    """Cycles of a call whose zero weights take no time, one filter per lane (without `lanes`: per column)."""
    load = call_load(call, lanes or array[1], balanced=balanced)
    return math.ceil(cycles(call, array, dataflow) * load.steps / load.dense_steps)


def call_load(call: LayerCall, lanes: int, *, balanced: bool) -> LaneLoad:
    """The lanes' load of a layer, from the zeros of its real weights."""
    length = call.weight_count // len(call.nnz_per_filter)
    return lane_load(call.nnz_per_filter, length, lanes, balanced=balanced)


def _skipped(call: LayerCall, machine: Machine, *, balanced: bool) -> int:
    return skipped_cycles(call, machine.array, machine.dataflow, balanced=balanced, lanes=machine.parallel_filters)


def _utilization(calls: Iterable[LayerCall], machine: Machine, *, balanced: bool) -> float | None:
    """Of all calls, each weighted by how often its weights are used."""
    done = steps = 0
    for call in calls:
        load = call_load(call, machine.parallel_filters, balanced=balanced)
        done += call.nnz * call.weight_uses
        steps += load.steps * machine.parallel_filters * call.weight_uses
    return done / steps if steps else None
