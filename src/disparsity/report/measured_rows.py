"""Measured latency as lines of a report, and what zeros do to the speed on a processor that multiplies them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from disparsity.report.comparison import Comparison
from disparsity.report.numbers import UNKNOWN, exact_text, ratio_text
from disparsity.report.schema import section

Report = Mapping[str, Any]
_LABELS = {"dense": "dense", "pruned": "pruned, float", "compressed": "compressed"}


def measured_rows(report: Report) -> list[Comparison]:
    """Medians and spread of the dense network in torch, and of all networks in the runtime; nothing if not measured."""
    measured = section(report, "measured_latency")
    rows = measured["rows"]
    if not rows:
        return []
    size = "×".join(map(str, measured["input_size"] or (UNKNOWN,)))
    threads, runs = (exact_text(measured[name]) for name in ("threads", "runs"))
    group = f"measured on this CPU, {measured['runtime']}, {threads} thread(s), {size}, median of {runs}"
    dense = next(row for row in rows if (row["network"], row["runtime"]) == ("dense", measured["runtime"]))
    return [_line(group, row, dense) for row in rows if row is not dense]


def measured_notes(report: Report) -> list[str]:
    """Warnings of the measurement, and whether zeros make anything faster on a CPU."""
    warnings = [f"Warning: {text}." for text in section(report, "measured_latency")["warnings"]]
    zeros = zeros_text(report)
    return warnings + ([zeros] if zeros else [])


def zeros_text(report: Report) -> str | None:
    """What the exports make of pruned weights; None where nothing was pruned."""
    pattern = report["settings"]["pattern"]
    if pattern in (None, "none"):
        return None
    if pattern == "channel":
        return "Removed channels are gone: every export is a smaller dense network, which runs faster on a CPU too."
    return (
        "Pruned weights stay as zeros in every export: this network runs no faster on a CPU for them. They are for "
        "accelerators that skip or gate zeros."
    )


def _line(group: str, row: Report, dense: Report) -> Comparison:
    """Dense in torch has no counterpart; the others stand beside the dense network in the same runtime."""
    alone = row["network"] == "dense"
    label = f"{row['runtime']}, {_LABELS.get(row['network'], row['network'])}"
    before, after = (row, None) if alone else (dense, row)
    change = "" if after is None else ratio_text(before["median_ms"], after["median_ms"])
    return Comparison(group=group, label=label, before=_text(before), after=_text(after), change=change)


def _text(row: Report | None) -> str:
    """Median, and between which times half of the runs were."""
    if row is None:
        return ""
    if row["median_ms"] is None:
        return UNKNOWN
    spread = "" if row["quartiles_ms"] is None else " ({:.3g} to {:.3g})".format(*row["quartiles_ms"])
    return f"{row['median_ms']:.3g} ms{spread}"
