"""Measured latency as lines of the before/after table."""

from __future__ import annotations

from disparsity.evaluation.measured_latency import MeasuredLatency, MeasuredRow
from disparsity.hwcost.models.quantities import UNKNOWN
from disparsity.report.numbers import exact_text, ratio_text
from disparsity.report.table_lines import Line

_LABELS = {"dense": "dense", "pruned": "pruned, float", "compressed": "compressed"}


def measured_lines(measured: MeasuredLatency | None) -> list[Line]:
    """Medians and spread of the dense network in torch, and of all networks in the runtime; nothing if not measured."""
    if measured is None or not measured.rows:
        return []
    size = "×".join(map(str, measured.input_size or (UNKNOWN,)))
    threads, runs = exact_text(measured.threads), exact_text(measured.runs)
    group = f"measured on this CPU, {measured.runtime}, {threads} thread(s), {size}, median of {runs}"
    dense = next(row for row in measured.rows if (row.network, row.runtime) == ("dense", measured.runtime))
    return [_line(group, row, dense) for row in measured.rows if row is not dense]


def _line(group: str, row: MeasuredRow, dense: MeasuredRow) -> Line:
    """Dense in torch has no counterpart; the others stand beside the dense network in the same runtime."""
    label = f"{row.runtime}, {_LABELS.get(row.network, row.network)}"
    if row.network == "dense":
        return Line(group=group, label=label, before=_text(row), after="", change="")
    change = ratio_text(dense.median_ms, row.median_ms)
    return Line(group=group, label=label, before=_text(dense), after=_text(row), change=change)


def _text(row: MeasuredRow) -> str:
    """Median, and between which times half of the runs were."""
    if row.median_ms is None:
        return UNKNOWN
    spread = "" if row.quartiles_ms is None else " ({:.3g} to {:.3g})".format(*row.quartiles_ms)
    return f"{row.median_ms:.3g} ms{spread}"
