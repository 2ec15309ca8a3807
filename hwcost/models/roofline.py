"""Roofline: what bounds a layer, the multipliers or the memory's bandwidth, and the cycles of the slower of both.

Source: Williams, Waterman, Patterson, Roofline, CACM 2009.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from disparsity.hwcost.models.cycles import cycles
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.quantities import Column, Number, Percent, Row, total
from disparsity.hwcost.models.sparse_execution import skipped_cycles
from disparsity.hwcost.models.traffic import CallTraffic, Moves
from disparsity.hwcost.tracing.layer_call import LayerCall

_ROOFLINE = "Williams et al., Roofline, CACM 2009"


@dataclass(frozen=True, kw_only=True)
class RooflinePoint:
    """One layer under the roof.

    Attributes:
        intensity_macs_per_byte: products per byte of DRAM traffic.
        attainable_macs_per_cycle: the roof at this intensity.
        bound: ``compute`` or ``memory``.
        cycles: of the slower of both, one overlapping the other.

    """

    intensity_macs_per_byte: float
    attainable_macs_per_cycle: float
    bound: str
    cycles: int


@dataclass(frozen=True, kw_only=True)
class Bounded:
    """A figure of both networks on the plain array, and of the compressed one where zero weights take no cycle."""

    dense: Number | None
    compressed: Number | None
    skipped: Number | None


@dataclass(frozen=True, kw_only=True)
class BoundedPercent:
    """As `Bounded`, in percent."""

    dense: Percent | None
    compressed: Percent | None
    skipped: Percent | None


@dataclass(frozen=True, kw_only=True)
class RooflineSection:
    """Cycles of products or transfers, whichever takes longer in each call."""

    multipliers: int | None
    ridge_macs_per_byte: Number | None
    cycles: Bounded
    memory_bound_cycles_percent: BoundedPercent
    milliseconds: Bounded

    def rows(self) -> list[Row]:
        """Cycles, the fraction of them that waits for memory, and times where the clock is known."""
        group, cycles = "roofline: products or transfers, the slower", self.cycles
        waits, times = self.memory_bound_cycles_percent, self.milliseconds

        def bound(label: str, after: float | None) -> Row:
            return Row(group=group, label=label, unit="percent", before=waits.dense, after=after, change="none")

        rows = [
            Row(group=group, label="cycles with memory", unit="count", before=cycles.dense, after=cycles.compressed),
            Row(
                group=group, label="cycles with memory, zeros skipped", unit="count",
                before=cycles.dense, after=cycles.skipped,
            ),
            bound("bound by memory, of cycles", waits.compressed),
            bound("bound by memory, zeros skipped", waits.skipped),
        ]  # fmt: skip
        if times.dense is None:
            return rows
        ends = {"time": times.compressed, "time, zeros skipped": times.skipped}
        return rows + [
            Row(group=group, label=label, unit="ms", before=times.dense, after=after) for label, after in ends.items()
        ]


@dataclass(frozen=True, kw_only=True)
class RooflineColumns:
    """Where one call stands under the roof of the plain array, which does every product."""

    intensity_macs_per_byte: Annotated[
        Number | None,
        Column(title="intensity", unit="MAC/B", formula="dense MACs / DRAM bytes", source=_ROOFLINE),
    ] = None
    attainable_macs_per_cycle: Annotated[
        Number | None,
        Column(title="roof", unit="MAC/cycle", formula="min(R × C, intensity × bandwidth)", source=_ROOFLINE),
    ] = None
    bound: Annotated[
        str | None,
        Column(
            title="bound by",
            formula="memory where the transfer takes longer than the products, else compute",
            source=_ROOFLINE,
        ),
    ] = None
    roofline_cycles: Annotated[
        int | None,
        Column(
            title="cycles with memory",
            formula="max(cycles, DRAM bytes / bandwidth): transfers and products overlap",
            source=_ROOFLINE,
        ),
    ] = None
    dense_intensity_macs_per_byte: Annotated[
        Number | None,
        Column(
            title="dense intensity",
            unit="MAC/B",
            formula="as intensity, of the dense network in float32",
            source=_ROOFLINE,
        ),
    ] = None
    dense_roofline_cycles: Annotated[
        int | None,
        Column(
            title="dense cycles with memory",
            formula="as cycles with memory, of the dense network in float32",
            source=_ROOFLINE,
        ),
    ] = None


def roofline_section(dense: Moves, compressed: Moves, machine: Machine) -> RooflineSection:
    """Cycles with the memory in the way: of both networks on the plain array, and of one that skips zeros."""
    found = {
        "dense": bounded_cycles(dense, machine, skipping=False),
        "compressed": bounded_cycles(compressed, machine, skipping=False),
        "skipped": bounded_cycles(compressed, machine, skipping=True),
    }
    return RooflineSection(
        multipliers=machine.multipliers,
        ridge_macs_per_byte=machine.multipliers / machine.dram_bytes_per_cycle,
        cycles=Bounded(**{name: count for name, (count, _) in found.items()}),
        memory_bound_cycles_percent=BoundedPercent(**{name: percent for name, (_, percent) in found.items()}),
        milliseconds=Bounded(**{name: machine.milliseconds(count) for name, (count, _) in found.items()}),
    )


def roofline_columns(
    call: LayerCall, traffic: CallTraffic, dense: tuple[LayerCall, CallTraffic] | None, machine: Machine
) -> RooflineColumns:
    """The columns of a call; `dense` is the same call of the dense network."""
    point = call_roofline(call, traffic, machine)
    before = call_roofline(*dense, machine) if dense else None
    return RooflineColumns(
        intensity_macs_per_byte=point.intensity_macs_per_byte if point else None,
        attainable_macs_per_cycle=point.attainable_macs_per_cycle if point else None,
        bound=point.bound if point else None,
        roofline_cycles=point.cycles if point else None,
        dense_intensity_macs_per_byte=before.intensity_macs_per_byte if before else None,
        dense_roofline_cycles=before.cycles if before else None,
    )


def call_roofline(call: LayerCall, traffic: CallTraffic, machine: Machine) -> RooflinePoint | None:
    """Where a call stands on the plain array; None where its traffic is unknown or 0."""
    if not traffic.dram_bytes:
        return None
    return roofline(
        call.dense_macs,
        traffic.dram_bytes,
        cycles(call, machine.array, machine.dataflow),
        multipliers=machine.multipliers,
        bytes_per_cycle=machine.dram_bytes_per_cycle,
    )


def roofline(
    macs: int, dram_bytes: float, compute_cycles: int, *, multipliers: int, bytes_per_cycle: float
) -> RooflinePoint:
    """Where a layer stands, given the cycles that the array needs for it and the bytes it moves.

    Args:
        macs: products that are done.
        dram_bytes: moved, above 0.
        compute_cycles: of the array, memory aside.
        multipliers: of the array.
        bytes_per_cycle: the memory's bandwidth, above 0.

    """
    intensity = macs / dram_bytes
    transfer = -int(-dram_bytes // bytes_per_cycle)
    return RooflinePoint(
        intensity_macs_per_byte=intensity,
        attainable_macs_per_cycle=min(float(multipliers), intensity * bytes_per_cycle),
        bound="memory" if transfer > compute_cycles else "compute",
        cycles=max(compute_cycles, transfer),
    )


def bounded_cycles(moved: Moves, machine: Machine, *, skipping: bool) -> tuple[float | None, float | None]:
    """Cycles of all calls, and the percentage of them that are bound by memory."""
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
