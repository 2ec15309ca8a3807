"""The before/after rows and the headline of a report, as text: what the terminal table and the HTML page both show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from disparsity.report.comparison import Comparison, split, stated
from disparsity.report.machine_rows import machine_rows
from disparsity.report.measured_rows import measured_rows
from disparsity.report.numbers import (
    UNKNOWN,
    area_text,
    bytes_text,
    change_text,
    count_text,
    energy_text,
    percent_text,
    pixels_text,
    ratio_text,
    reduction,
)
from disparsity.report.schema import STAGES

Report = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Card:
    """One headline figure: what it is, the figure, and what it was computed from."""

    label: str
    figure: str
    detail: str


def comparisons(report: Report) -> list[Comparison]:
    """All before/after lines, grouped, in the order in which they are shown."""
    return [
        *_accuracy(report),
        *_memory(report["memory"]),
        *_operations(report["operations"]),
        *_hardware(report["hardware"]),
        *_latency(report["latency"]),
        *measured_rows(report),
        *machine_rows(report),
        split("activations", "peak live activations", report["activations"]["peak_bytes"], bytes_text),
    ]


def cards(report: Report) -> list[Card]:
    """The four headline figures: memory, MAC energy, BOPs and the error."""
    memory, hardware = report["memory"], report["hardware"]
    energy, profile = hardware["mac_energy_pj"], hardware["profile"] or UNKNOWN
    definition, bops = next(iter(report["operations"]["bops"].items()), ("BOPs", {"dense": None, "compressed": None}))
    return [
        Card(
            label="Weight memory",
            figure=change_text(stated(memory["reduction_percent"], memory["dense_bytes"], memory["packed_file_bytes"])),
            detail=f"{bytes_text(memory['dense_bytes'])} → {bytes_text(memory['packed_file_bytes'])}, packed file",
        ),
        Card(
            label="MAC energy",
            figure=change_text(
                stated(hardware["reduction_percent"]["mac_energy"], energy["dense"], energy["compressed"])
            ),
            detail=f"{energy_text(energy['dense'])} → {energy_text(energy['compressed'])}, profile {profile}",
        ),
        Card(
            label="Bit operations",
            figure=change_text(reduction(bops["dense"], bops["compressed"])),
            detail=f"{count_text(bops['dense'])} → {count_text(bops['compressed'])}, {definition}",
        ),
        _error_card(report),
    ]


def data_ends(report: Report) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """For every data set and aggregation the dense row and the row of the last stage that was evaluated."""
    groups: dict[tuple[str, str | None], list[Mapping[str, Any]]] = {}
    for row in report["accuracy"]:
        groups.setdefault((row["data"], row["aggregation"]), []).append(row)
    ordered = [sorted(rows, key=lambda row: STAGES.index(row["stage"])) for rows in groups.values()]
    return [(rows[0], rows[-1]) for rows in ordered if rows[0]["stage"] == "dense" and len(rows) > 1]


def _error_card(report: Report) -> Card:
    ends = data_ends(report)
    if not ends:
        return Card(label="Disparity error (EPE)", figure=UNKNOWN, detail="no data was evaluated before and after")
    before, after = ends[0]
    known = before["epe_px"] is not None and after["epe_px"] is not None
    return Card(
        label="Disparity error (EPE)",
        figure=ratio_text(before["epe_px"], after["epe_px"]),
        detail=f"{before['epe_px']:.3f} → {after['epe_px']:.3f} px, {before['data']}" if known else before["data"],
    )


def _accuracy(report: Report) -> list[Comparison]:
    rows = []
    for before, after in data_ends(report):
        group = "accuracy, " + ", ".join(filter(None, (before["data"], before["aggregation"])))
        rows.append(
            Comparison(
                group=group,
                label="EPE",
                before=pixels_text(before["epe_px"]),
                after=pixels_text(after["epe_px"]),
                change=ratio_text(before["epe_px"], after["epe_px"]),
            )
        )
        for label, name in (("bad-3", "bad3_percent"), ("D1", "d1_percent")):
            rows.append(
                Comparison(
                    group=group,
                    label=label,
                    before=percent_text(before[name]),
                    after=percent_text(after[name]),
                    change=_points(before[name], after[name]),
                )
            )
    return rows


def _memory(memory: Mapping[str, Any]) -> list[Comparison]:
    dense, best = memory["dense_bytes"], memory["best_format"]
    targets = {
        "packed file": memory["packed_file_bytes"],
        f"best format ({best or UNKNOWN})": memory["formats"].get(best),
        "entropy bound": memory["entropy_bound_bytes"],
        "values alone, no index": memory["values_bytes"],
    }
    given = {"packed file": memory["reduction_percent"]}
    return [
        Comparison(
            group="memory",
            label=label,
            before=bytes_text(dense),
            after=bytes_text(after),
            change=change_text(stated(given.get(label), dense, after)),
        )
        for label, after in targets.items()
    ]


def _operations(operations: Mapping[str, Any]) -> list[Comparison]:
    macs = {"dense": operations["dense_macs"], "compressed": operations["effectual_macs"]}
    rows = [split("operations", "MACs", macs, count_text, operations["reduction_percent"]["macs"])]
    return rows + [split("operations", f"BOPs ({name})", bops, count_text) for name, bops in operations["bops"].items()]


def _hardware(hardware: Mapping[str, Any]) -> list[Comparison]:
    group, given = f"hardware, profile {hardware['profile'] or UNKNOWN}", hardware["reduction_percent"]
    memory = {end: hardware["memory_energy_pj"].get(end) for end in ("dense", "compressed")}
    total = {end: _sum(hardware["mac_energy_pj"][end], memory[end]) for end in memory}
    return [
        split(group, "MAC energy", hardware["mac_energy_pj"], energy_text, given["mac_energy"]),
        split(group, "memory energy", memory, energy_text),
        split(group, "total energy", total, energy_text, given["total_energy"]),
        split(group, "MAC area", hardware["mac_area_um2"], area_text, given["mac_area"]),
    ]


def _latency(latency: Mapping[str, Any]) -> list[Comparison]:
    array, dataflow = latency["array"], latency["dataflow"]
    group = "latency" if array is None else f"latency, {array[0]}×{array[1]} array, {dataflow or UNKNOWN}"
    rows = [split(group, "cycles", latency["cycles"], count_text)]
    use = latency["utilization"]
    before, after = (use.get("dense"), use.get("compressed")) if isinstance(use, Mapping) else (None, use)
    texts = [UNKNOWN if value is None else f"{value:.3f}" for value in (before, after)]
    return [*rows, Comparison(group=group, label="utilization", before=texts[0], after=texts[1], change="")]


def _points(before: float | None, after: float | None) -> str:
    return UNKNOWN if before is None or after is None else f"{after - before:+.2f} points".replace("-", "−")


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second
