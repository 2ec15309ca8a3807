"""The terminal's summary of a report: an aligned before/after table in plain ASCII."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from disparsity.report.comparison import Comparison
from disparsity.report.machine_rows import coverage_text, machine_text
from disparsity.report.measured_rows import measured_notes
from disparsity.report.numbers import UNKNOWN, count_text
from disparsity.report.summary import comparisons

# A terminal or a log file may not know these signs; the page may.
_ASCII = str.maketrans({"µ": "u", "²": "2", "×": "x", "−": "-", "→": "->"})
_HEADER = ("", "dense", "compressed", "change")


def summary_table(report: Mapping[str, Any]) -> str:
    """The whole summary: a title, the before/after table, the machine, and what is not modelled."""
    foot = [f"machine: {machine_text(report)}", coverage_text(report["coverage"]), *measured_notes(report)]
    lines = [_title(report["network"]), "", *_table(comparisons(report)), "", *foot]
    return "\n".join(line.rstrip() for line in lines).translate(_ASCII)


def _title(network: Mapping[str, Any]) -> str:
    size = network["input_size"]
    at = UNKNOWN if size is None else f"{size[0]}x{size[1]}"
    return f"{network['name'] or UNKNOWN}: {count_text(network['parameters'])} parameters, input {at}"


def _table(rows: list[Comparison]) -> list[str]:
    cells: list[tuple[str, str, str, str]] = [_HEADER]
    group = None
    for row in rows:
        if row.group != group:
            cells.append((row.group, "", "", ""))
            group = row.group
        cells.append(("  " + row.label, row.before, row.after, row.change))
    figures = [cell for cell in cells if any(cell[1:])]
    widths = [max(len(cell[column]) for cell in figures) for column in range(4)]
    return [_line(cell, widths) for cell in cells]


def _line(cell: tuple[str, str, str, str], widths: list[int]) -> str:
    if not any(cell[1:]):
        return cell[0]
    return "  ".join([cell[0].ljust(widths[0]), *(cell[i].rjust(widths[i]) for i in (1, 2, 3))])
