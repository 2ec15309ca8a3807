"""The before/after lines of what a machine does: traffic, waiting for memory, zeros, accumulators, multipliers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from disparsity.report.comparison import Comparison, line, split
from disparsity.report.numbers import (
    UNKNOWN,
    bytes_text,
    capacity_text,
    count_text,
    energy_text,
    exact_text,
    percent_text,
)
from disparsity.report.schema import section

Report = Mapping[str, Any]
NOT_MEASURED = "not measured"


def machine_rows(report: Report) -> list[Comparison]:
    """All lines, grouped; what needs real pairs says that it was not measured without them."""
    return [
        *_traffic(section(report, "traffic")),
        *_roofline(section(report, "roofline")),
        *_sparse(section(report, "sparse_execution")),
        *_effectual(section(report, "effectual")),
        *_accumulators(section(report, "accumulators"), measured=bool(report.get("effectual"))),
        *_multipliers(section(report, "multipliers")),
    ]


def machine_text(report: Report) -> str:
    """The machine in one line."""
    machine = section(report, "machine")
    array = UNKNOWN if machine["array"] is None else "×".join(map(str, machine["array"]))
    clock = "" if machine["clock_mhz"] is None else f", {exact_text(machine['clock_mhz'])} MHz"
    return (
        f"{array} array, {machine['dataflow'] or UNKNOWN}, buffer {capacity_text(machine['buffer_bytes'])}, "
        f"DRAM {exact_text(machine['dram_bytes_per_cycle'])} B per cycle, {exact_text(machine['lanes'])} lanes{clock}"
    )


def coverage_text(coverage: Mapping[str, Any]) -> str:
    """How much of the network's work the figures hold, and the names of what they leave out."""
    left_out = ", ".join(coverage["unmodelled"]) or "nothing"
    macs, moved = (percent_text(coverage.get(f"{what}_modelled_percent")) for what in ("macs", "bytes"))
    return f"modelled: {macs} of MACs, {moved} of bytes; not modelled: {left_out}"


def _traffic(traffic: Report) -> list[Comparison]:
    group = "traffic per pair"
    labels: tuple[tuple[str, str, Callable[[float | None], str]], ...] = (
        ("buffer to array and back", "sram_bytes", bytes_text),
        ("of it partial sums", "partial_sum_bytes", bytes_text),
        ("DRAM, everything once", "compulsory_dram_bytes", bytes_text),
        ("DRAM, tiled for the buffer", "dram_bytes", bytes_text),
        ("buffer energy", "sram_energy_pj", energy_text),
        ("DRAM energy, tiled", "dram_energy_pj", energy_text),
    )
    return [split(group, label, traffic[name], text) for label, name, text in labels]


def _roofline(roofline: Report) -> list[Comparison]:
    group, cycles, waits = (
        "roofline: products or transfers, the slower",
        roofline["cycles"],
        "memory_bound_cycles_percent",
    )
    bound = {end: percent_text(roofline[waits][end]) for end in ("dense", "compressed", "skipped")}
    rows = [
        split(group, "cycles with memory", cycles, count_text),
        line(group, "cycles with memory, zeros skipped", (cycles["dense"], cycles["skipped"]), count_text),
        _plain(group, "bound by memory, of cycles", bound["compressed"], bound["dense"]),
        _plain(group, "bound by memory, zeros skipped", bound["skipped"], bound["dense"]),
    ]
    return rows + [
        line(group, label, (roofline["milliseconds"]["dense"], roofline["milliseconds"][end]), _milliseconds)
        for label, end in (("time", "compressed"), ("time, zeros skipped", "skipped"))
        if roofline["milliseconds"]["dense"] is not None
    ]


def _sparse(sparse: Report) -> list[Comparison]:
    group, cycles, energy = "zeros at these bits: multiplied, or not", sparse["cycles"], sparse["mac_energy_pj"]
    lanes = [
        "" if value is None else f"{value:.3f}"
        for value in (sparse["lane_utilization"][how] for how in ("in_order", "balanced"))
    ]
    return [
        line(group, "gating: cycles", (cycles["dense"], cycles["gated"]), count_text),
        line(group, "gating, skipping: MAC energy", (energy["dense"], energy["gated"]), energy_text),
        line(group, "skipping in order: cycles", (cycles["dense"], cycles["skipped"]), count_text),
        line(group, "skipping balanced: cycles", (cycles["dense"], cycles["skipped_balanced"]), count_text),
        _plain(group, "lane utilization in order", lanes[0] or UNKNOWN),
        _plain(group, "lane utilization balanced", lanes[1] or UNKNOWN),
    ]


def _effectual(effectual: Report) -> list[Comparison]:
    if effectual["dense_macs"] is None:
        return [_plain("products on real pairs", "by zeros of activations", NOT_MEASURED)]
    size = "×".join(map(str, effectual["size"]))
    what = f"{effectual['pairs']} at {size}{', cropped' if effectual['cropped'] else ''}"
    group = f"products on real pairs ({what})"
    labels = {"by_weight": "weight not 0", "by_activation": "activation not 0", "by_both": "both not 0"}
    return [
        line(group, label, (effectual["dense_macs"], effectual["macs"][name]), count_text)
        for name, label in labels.items()
    ]


def _accumulators(accumulators: Report, *, measured: bool) -> list[Comparison]:
    layers = accumulators["integer_layers"]
    group = f"accumulators, widest of {exact_text(layers)} integer layers"
    return [
        _plain(group, "any weights", _bits(accumulators["worst_case_bits"])),
        _plain(group, "these weights", _bits(accumulators["weights_bits"])),
        _plain(group, "these weights, on the pairs", _bits(accumulators["data_bits"]) if measured else NOT_MEASURED),
    ]


def _multipliers(multipliers: Report) -> list[Comparison]:
    group = "constant multipliers, fully unrolled"
    return [
        _plain(group, "adders in multipliers", count_text(multipliers["multiplier_adders"])),
        _plain(group, "adders of sums", count_text(multipliers["sum_adders"])),
        _plain(group, "adders per non-zero weight", exact_text(multipliers["adders_per_weight"])),
        _plain(group, "weights without adder", percent_text(multipliers["shift_only_percent"])),
    ]


def _plain(group: str, label: str, after: str, before: str = "") -> Comparison:
    return Comparison(group=group, label=label, before=before, after=after, change="")


def _bits(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value} bit"


def _milliseconds(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.4g} ms"
