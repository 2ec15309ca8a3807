"""Comparison of networks under every technology profile: which one is cheapest, and whether all profiles agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from disparsity.hwcost.models.cycles import network_latency
from disparsity.hwcost.models.energy import mac_area_um2, mac_energy_pj, memory_energy_pj
from disparsity.hwcost.models.machine import Machine, MachineSection
from disparsity.hwcost.models.operations import total_bops
from disparsity.hwcost.models.quantities import Size, total
from disparsity.hwcost.models.roofline import bounded_cycles
from disparsity.hwcost.models.traffic import moves, traffic_totals
from disparsity.hwcost.profiles.technology import Profile
from disparsity.hwcost.tracing.layer_call import Workload
from disparsity.hwcost.tracing.live_activations import ActivationPeak

PROFILE_FIGURES = ("mac_energy_pj", "memory_energy_pj", "total_energy_pj", "mac_area_um2")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A network as it is compared: its trace, its stored bytes and its activations."""

    name: str
    workload: Workload
    stored_bytes: int
    peak: ActivationPeak


@dataclass(frozen=True, kw_only=True)
class ComparedNetwork:
    """The figures of one network; energies and area are those of the machine's profile."""

    name: str
    parameters: int
    stored_bytes: int
    peak_activation_bytes: int
    dense_macs: int
    effectual_macs: int
    bops_mac_product: float
    bops_uniq: float
    bops_ps_and_qs: float
    cycles: int
    utilization: float
    dram_bytes: float | None
    roofline_cycles: float | None
    roofline_skipped_cycles: float | None
    mac_energy_pj: float | None
    memory_energy_pj: float | None
    total_energy_pj: float | None
    mac_area_um2: float | None


@dataclass(frozen=True, kw_only=True)
class ProfileRow:
    """One figure of every network, by name, under one profile; `cheapest` is None where a figure is not known."""

    profile: str
    figure: str
    values: dict[str, float | None]
    cheapest: str | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Networks side by side.

    `conclusion_changes` says of every figure whether two profiles name different cheapest networks; None with fewer
    than two profiles that know the figure.
    """

    schema: Literal["disparsity.comparison"] = "disparsity.comparison"
    version: Literal[1] = 1
    input_size: Size
    profile: str
    array: Size
    dataflow: str
    machine: MachineSection
    networks: tuple[ComparedNetwork, ...]
    profiles: tuple[ProfileRow, ...]
    conclusion_changes: dict[str, bool | None]


def compare(candidates: Sequence[Candidate], size: Size, machine: Machine, profiles: Sequence[Profile]) -> Comparison:
    """Figures of every network, and under every profile the cheapest one."""
    table = tuple(_row(candidates, profile, figure) for profile in profiles for figure in PROFILE_FIGURES)
    return Comparison(
        input_size=size,
        profile=machine.profile.name,
        array=machine.array,
        dataflow=machine.dataflow,
        machine=machine.section(),
        networks=tuple(_compared(one, machine) for one in candidates),
        profiles=table,
        conclusion_changes={figure: _changes(table, figure) for figure in PROFILE_FIGURES},
    )


def _compared(one: Candidate, machine: Machine) -> ComparedNetwork:
    latency = network_latency(one.workload.calls, machine.array, machine.dataflow)
    moved, bops = moves(one.workload, machine), total_bops(one.workload.calls)
    return ComparedNetwork(
        name=one.name,
        parameters=one.workload.parameters,
        stored_bytes=one.stored_bytes,
        peak_activation_bytes=one.peak.compressed_bytes,
        dense_macs=one.workload.dense_macs,
        effectual_macs=one.workload.effectual_macs,
        bops_mac_product=bops["mac_product"],
        bops_uniq=bops["uniq"],
        bops_ps_and_qs=bops["ps_and_qs"],
        cycles=latency.cycles,
        utilization=latency.utilization,
        dram_bytes=traffic_totals(moved, machine)["dram_bytes"],
        roofline_cycles=bounded_cycles(moved, machine, skipping=False)[0],
        roofline_skipped_cycles=bounded_cycles(moved, machine, skipping=True)[0],
        mac_energy_pj=_figure(one, machine.profile, "mac_energy_pj"),
        memory_energy_pj=_figure(one, machine.profile, "memory_energy_pj"),
        total_energy_pj=_figure(one, machine.profile, "total_energy_pj"),
        mac_area_um2=_figure(one, machine.profile, "mac_area_um2"),
    )


def _figure(one: Candidate, profile: Profile, figure: str) -> float | None:
    if figure == "mac_area_um2":
        return mac_area_um2(one.workload.calls, profile)
    arithmetic = mac_energy_pj(one.workload.calls, profile)
    memory = memory_energy_pj(one.workload.calls, one.stored_bytes, profile)
    known = {"mac_energy_pj": arithmetic, "memory_energy_pj": memory, "total_energy_pj": total((arithmetic, memory))}
    return known[figure]


def _row(candidates: Sequence[Candidate], profile: Profile, figure: str) -> ProfileRow:
    values = {one.name: _figure(one, profile, figure) for one in candidates}
    known = {name: value for name, value in values.items() if value is not None}
    cheapest = min(known, key=lambda name: known[name]) if len(known) == len(values) else None
    return ProfileRow(profile=profile.name, figure=figure, values=values, cheapest=cheapest)


def _changes(table: Sequence[ProfileRow], figure: str) -> bool | None:
    named = [row.cheapest for row in table if row.figure == figure and row.cheapest is not None]
    return len(set(named)) > 1 if len(named) > 1 else None
