"""Memory traffic: between buffer and array, partial sums separately, and between buffer and DRAM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from disparsity.hwcost.models.accesses import ACCESSES
from disparsity.hwcost.models.cycles import SCALESIM, lowered
from disparsity.hwcost.models.energy import sram_energy_pj
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.quantities import Column, Ends, Number, Reduction, Row, ends_row, total
from disparsity.hwcost.models.tiling import compulsory_bytes, tiled
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


_TILING = "Zhang et al., FPGA 2015, section 4.2"


@dataclass(frozen=True, kw_only=True)
class TrafficReductions:
    """Percent saved of the bytes between buffer and array, and between DRAM and buffer."""

    sram: Reduction | None
    dram: Reduction | None


@dataclass(frozen=True, kw_only=True)
class TrafficSection:
    """Bytes per pair and the energy they take; SRAM counts the layers with weights, DRAM all calls.

    `untiled` names layers of which no tile fits into the buffer, for which the totals are None.
    """

    sram_bytes: Ends
    partial_sum_bytes: Ends
    compulsory_dram_bytes: Ends
    dram_bytes: Ends
    sram_energy_pj: Ends
    dram_energy_pj: Ends
    untiled: tuple[str, ...]
    reduction_percent: TrafficReductions

    def rows(self) -> list[Row]:
        """Bytes, then energy."""
        group = "traffic per pair"
        return [
            ends_row(group, "buffer to array and back", "B", self.sram_bytes),
            ends_row(group, "of it partial sums", "B", self.partial_sum_bytes),
            ends_row(group, "DRAM, everything once", "B", self.compulsory_dram_bytes),
            ends_row(group, "DRAM, tiled for the buffer", "B", self.dram_bytes),
            ends_row(group, "buffer energy", "pJ", self.sram_energy_pj),
            ends_row(group, "DRAM energy, tiled", "pJ", self.dram_energy_pj),
        ]


@dataclass(frozen=True, kw_only=True)
class TrafficColumns:
    """Bytes that one call moves."""

    sram_bytes: Annotated[
        Number | None,
        Column(
            title="buffer traffic",
            unit="B",
            formula="activations and weights that the array reads at their widths, and partial sums; ws: Sr T ⌈Sc/C⌉ "
            "inputs, T Sc weights; os: Sr T ⌈Sc/C⌉ and Sc T ⌈Sr/R⌉; is: Sr T and T Sc ⌈Sr/C⌉",
            source=SCALESIM,
        ),
    ] = None
    partial_sum_bytes: Annotated[
        Number | None,
        Column(
            title="partial sums",
            unit="B",
            formula="sums written and read again at the accumulator's width: Sr Sc (2 folds − 1), folds ⌈T/R⌉ (os: 1)",
            source=SCALESIM,
        ),
    ] = None
    compulsory_dram_bytes: Annotated[
        Number | None,
        Column(
            title="least DRAM traffic",
            unit="B",
            formula="every weight (zeros included), input and output once, at their widths",
        ),
    ] = None
    dram_bytes: Annotated[
        Number | None,
        Column(
            title="DRAM traffic",
            unit="B",
            formula="with the tiles of least traffic whose inputs, weights and sums fit into the buffer together",
            source=_TILING,
        ),
    ] = None
    dense_dram_bytes: Annotated[
        Number | None,
        Column(
            title="dense DRAM traffic",
            unit="B",
            formula="as DRAM traffic, of the dense network in float32",
            source=_TILING,
        ),
    ] = None


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


def traffic_section(dense: Moves, compressed: Moves, machine: Machine) -> TrafficSection:
    """Totals of both networks."""
    before, after = traffic_totals(dense, machine), traffic_totals(compressed, machine)
    ends = {name: Ends(dense=before[name], compressed=after[name]) for name in before}
    return TrafficSection(
        **ends,
        untiled=tuple(sorted({call.name for call, traffic in (*dense, *compressed) if traffic.dram_bytes is None})),
        reduction_percent=TrafficReductions(
            sram=ends["sram_bytes"].reduction_percent, dram=ends["dram_bytes"].reduction_percent
        ),
    )


def traffic_columns(traffic: CallTraffic, dense: CallTraffic | None) -> TrafficColumns:
    """The columns of a call; `dense` is the same call of the dense network."""
    return TrafficColumns(**vars(traffic), dense_dram_bytes=dense.dram_bytes if dense else None)


def traffic_totals(moved: Moves, machine: Machine) -> dict[str, float | None]:
    """Of one network, by field of `TrafficSection`."""
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
