"""Two or more networks side by side, under every technology profile: which is cheaper, and whether all agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from disparsity.hwcost.models.cycles import network_latency
from disparsity.hwcost.models.energy import mac_area_um2, mac_energy_pj, memory_energy_pj
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.operations import total_bops
from disparsity.hwcost.profiles.technology import Profile
from disparsity.hwcost.sections.roofline import bounded_cycles
from disparsity.hwcost.sections.traffic import moves, traffic_totals
from disparsity.hwcost.tracing.layer_call import Workload
from disparsity.hwcost.tracing.live_activations import ActivationPeak

SCHEMA, VERSION = "disparsity.comparison", 1
PROFILE_FIGURES = ("mac_energy_pj", "memory_energy_pj", "total_energy_pj", "mac_area_um2")

_VERDICTS = {
    True: "changes between profiles",
    False: "is the same under every profile",
    None: "rests on one profile at most",
}


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A network as it is compared: its trace, its stored bytes and its activations."""

    name: str
    workload: Workload
    stored_bytes: int
    peak: ActivationPeak


def compare(
    candidates: Sequence[Candidate], size: tuple[int, int], machine: Machine, profiles: Sequence[Profile]
) -> dict[str, Any]:
    """Figures of every network, and under every profile the cheapest one.

    Returns:
        ``networks`` (one object each, all figures), ``profiles`` (one object per profile and figure: the figure of
        every network and the ``cheapest``, null where a profile does not know it), and ``conclusion_changes`` (per
        figure: whether two profiles name different cheapest networks; null with fewer than two that know).

    """
    table = [_row(candidates, profile, figure) for profile in profiles for figure in PROFILE_FIGURES]
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "input_size": list(size),
        "profile": machine.profile.name,
        "array": list(machine.array),
        "dataflow": machine.dataflow,
        "machine": machine.settings(),
        "networks": [{"name": one.name, **_figures(one, machine)} for one in candidates],
        "profiles": table,
        "conclusion_changes": {figure: _changes(table, figure) for figure in PROFILE_FIGURES},
    }


def _figures(one: Candidate, machine: Machine) -> dict[str, Any]:
    latency = network_latency(one.workload.calls, machine.array, machine.dataflow)
    moved = moves(one.workload, machine)
    return {
        "parameters": one.workload.parameters,
        "stored_bytes": one.stored_bytes,
        "peak_activation_bytes": one.peak.compressed_bytes,
        "dense_macs": one.workload.dense_macs,
        "effectual_macs": one.workload.effectual_macs,
        **{f"bops_{name}": value for name, value in total_bops(one.workload.calls).items()},
        "cycles": latency.cycles,
        "utilization": latency.utilization,
        "dram_bytes": traffic_totals(moved, machine)["dram_bytes"],
        "roofline_cycles": bounded_cycles(moved, machine, skipping=False)[0],
        "roofline_skipped_cycles": bounded_cycles(moved, machine, skipping=True)[0],
        **{figure: _figure(one, machine.profile, figure) for figure in PROFILE_FIGURES},
    }


def _figure(one: Candidate, profile: Profile, figure: str) -> float | None:
    if figure == "mac_area_um2":
        return mac_area_um2(one.workload.calls, profile)
    arithmetic = mac_energy_pj(one.workload.calls, profile)
    memory = memory_energy_pj(one.workload.calls, one.stored_bytes, profile)
    total = None if memory is None else arithmetic + memory
    return {"mac_energy_pj": arithmetic, "memory_energy_pj": memory, "total_energy_pj": total}[figure]


def _row(candidates: Sequence[Candidate], profile: Profile, figure: str) -> dict[str, Any]:
    values = {one.name: _figure(one, profile, figure) for one in candidates}
    known = {name: value for name, value in values.items() if value is not None}
    cheapest = min(known, key=lambda name: known[name]) if len(known) == len(values) else None
    return {"profile": profile.name, "figure": figure, "values": values, "cheapest": cheapest}


def _changes(table: list[dict[str, Any]], figure: str) -> bool | None:
    named = [row["cheapest"] for row in table if row["figure"] == figure and row["cheapest"] is not None]
    return len(set(named)) > 1 if len(named) > 1 else None


def markdown(comparison: dict[str, Any]) -> str:
    """The comparison as two Markdown tables and one line per figure on whether the profiles agree."""
    names = [one["name"] for one in comparison["networks"]]
    size = "x".join(map(str, comparison["input_size"]))
    lines = [
        f"Input {size}, {_machine(comparison['machine'])}, profile {comparison['profile']}.",
        "",
        *_header(["", *names]),
    ]
    for figure in [key for key in comparison["networks"][0] if key != "name"]:
        lines.append(_line([figure, *(_text(one[figure]) for one in comparison["networks"])]))
    lines += ["", *_header(["profile", "figure", *names, "cheapest"])]
    for row in comparison["profiles"]:
        values = [_text(row["values"][name]) for name in names]
        lines.append(_line([row["profile"], row["figure"], *values, row["cheapest"] or "not known"]))
    lines += ["", "Which network is cheapest:", ""]
    lines += [_verdict(comparison, figure, changes) for figure, changes in comparison["conclusion_changes"].items()]
    return "\n".join(lines)


def _verdict(comparison: dict[str, Any], figure: str, changes: bool | None) -> str:
    """Whether the profiles agree on the cheapest network, and which one each of them names."""
    named = {row["profile"]: row["cheapest"] for row in comparison["profiles"] if row["figure"] == figure}
    known = {profile: cheapest for profile, cheapest in named.items() if cheapest is not None}
    detail = ", ".join(f"{profile}: {cheapest}" for profile, cheapest in known.items())
    return f"- {figure}: the conclusion {_VERDICTS[changes]}" + (f" ({detail})" if detail else "")


def _machine(machine: dict[str, Any]) -> str:
    array = "x".join(map(str, machine["array"]))
    return (
        f"{array} array, {machine['dataflow']}, buffer {machine['buffer_bytes']:,} B, "
        f"DRAM {machine['dram_bytes_per_cycle']:g} B per cycle, {machine['lanes']} lanes"
    )


def _header(cells: list[str]) -> list[str]:
    return [_line(cells), _line(["---"] * len(cells))]


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _text(value: float | None) -> str:
    if value is None:
        return "not known"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
