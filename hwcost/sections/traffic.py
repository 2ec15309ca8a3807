"""What moves: between buffer and array, partial sums by themselves, and between buffer and DRAM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from disparsity.hwcost.models.accesses import ACCESSES
from disparsity.hwcost.models.cycles import lowered
from disparsity.hwcost.models.energy import sram_energy_pj
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.tiling import compulsory_bytes, tiled
from disparsity.hwcost.sections.totals import reduction, total
from disparsity.hwcost.tracing.layer_call import LayerCall, Workload


@dataclass(frozen=True, kw_only=True)
class CallTraffic:
    """Bytes that one call moves.

    Attributes:
        sram_bytes: read from and written to the buffer by the array; None for a part without weights.
        partial_sum_bytes: of them, sums written and read again, at the accumulator's width.
        compulsory_dram_bytes: every weight, input and output once.
        dram_bytes: with the best tiles that fit into the buffer; None where none fits.

    """

    sram_bytes: float | None
    partial_sum_bytes: float | None
    compulsory_dram_bytes: float
    dram_bytes: float | None


Moves = tuple[tuple[LayerCall, CallTraffic], ...]
"""Every call with what it moves, in order."""


def moves(workload: Workload, machine: Machine) -> Moves:
    """The traffic of every call."""
    return tuple((call, call_traffic(call, machine)) for call in workload.calls)


def call_traffic(call: LayerCall, machine: Machine) -> CallTraffic:
    """The traffic of one call; a part without weights moves its tensors once and does not use the array."""
    if not call.weight_count:
        moved = call.moved_elements * call.activation_bits / 8
        return CallTraffic(sram_bytes=None, partial_sum_bytes=None, compulsory_dram_bytes=moved, dram_bytes=moved)
    words = ACCESSES[machine.dataflow](lowered(call), *machine.array)
    sums = (words.partial_writes + words.partial_reads) * call.accumulator_bits / 8
    operands = (words.input_reads * call.activation_bits + words.weight_reads * call.weight_bits) / 8
    tiles = tiled(call, machine.buffer_bytes)
    return CallTraffic(
        sram_bytes=operands + sums,
        partial_sum_bytes=sums,
        compulsory_dram_bytes=compulsory_bytes(call),
        dram_bytes=tiles.dram_bytes if tiles else None,
    )


def traffic_section(dense: Moves, compressed: Moves, machine: Machine) -> dict[str, Any]:
    """Totals of both networks, and the energy they take; SRAM counts the layers with weights, DRAM all calls."""
    ends = {"dense": traffic_totals(dense, machine), "compressed": traffic_totals(compressed, machine)}
    figures = {name: {end: totals[name] for end, totals in ends.items()} for name in ends["dense"]}
    return {
        **figures,
        "untiled": sorted({call.name for call, traffic in (*dense, *compressed) if traffic.dram_bytes is None}),
        "reduction_percent": {
            "sram": reduction(figures["sram_bytes"]["dense"], figures["sram_bytes"]["compressed"]),
            "dram": reduction(figures["dram_bytes"]["dense"], figures["dram_bytes"]["compressed"]),
        },
    }


def traffic_columns(traffic: CallTraffic, dense: CallTraffic | None) -> dict[str, Any]:
    """The layer table's columns; `dense` is the same call of the dense network."""
    return {
        "sram_bytes": traffic.sram_bytes,
        "partial_sum_bytes": traffic.partial_sum_bytes,
        "compulsory_dram_bytes": traffic.compulsory_dram_bytes,
        "dram_bytes": traffic.dram_bytes,
        "dense_dram_bytes": dense.dram_bytes if dense else None,
    }


def traffic_totals(moved: Moves, machine: Machine) -> dict[str, float | None]:
    """Of one network, by figure; SRAM counts the layers with weights, DRAM all calls."""
    layers = [traffic for call, traffic in moved if call.weight_count]
    sram = total(traffic.sram_bytes for traffic in layers)
    dram = total(traffic.dram_bytes for _, traffic in moved)
    per_bit = machine.profile.dram_pj_per_bit
    return {
        "sram_bytes": sram,
        "partial_sum_bytes": total(traffic.partial_sum_bytes for traffic in layers),
        "compulsory_dram_bytes": total(traffic.compulsory_dram_bytes for _, traffic in moved),
        "dram_bytes": dram,
        "sram_energy_pj": None if sram is None else sram_energy_pj(sram, machine.buffer_bytes, machine.profile),
        "dram_energy_pj": None if dram is None or per_bit is None else 8 * dram * per_bit,
    }
