"""Summary of a report in the terminal: an aligned before/after table in plain ASCII."""

from __future__ import annotations

from collections.abc import Sequence

from disparsity.cost import NetworkSection
from disparsity.hwcost.models.quantities import UNKNOWN
from disparsity.report.notes import coverage_text, machine_text, notes
from disparsity.report.numbers import count_text
from disparsity.report.report import Report
from disparsity.report.summary import lines
from disparsity.report.table_lines import Line

# A terminal or a log file may not know these signs; the page may.
_ASCII = str.maketrans({"µ": "u", "²": "2", "×": "x", "−": "-", "→": "->"})
_HEADER = ("", "dense", "compressed", "change")


def summary_table(report: Report) -> str:
    """The whole summary: a title, the before/after table, the machine, and what is not modelled."""
    foot = [f"machine: {machine_text(report)}", coverage_text(report.coverage), *notes(report)]
    text = [_title(report.network), "", *_table(lines(report)), "", *foot]
    return "\n".join(line.rstrip() for line in text).translate(_ASCII)


def _title(network: NetworkSection) -> str:
    size = UNKNOWN if network.input_size is None else "x".join(map(str, network.input_size))
    return f"{network.name or UNKNOWN}: {count_text(network.parameters)} parameters, input {size}"


def _table(rows: Sequence[Line]) -> list[str]:
    cells: list[tuple[str, str, str, str]] = [_HEADER]
    group = None
    for row in rows:
        if row.group != group:
            cells.append((row.group, "", "", ""))
            group = row.group
        cells.append(("  " + row.label, row.before, row.after, row.change))
    figures = [cell for cell in cells if any(cell[1:])]
    widths = [max(len(cell[column]) for cell in figures) for column in range(4)]
    return [_aligned(cell, widths) for cell in cells]


def _aligned(cell: tuple[str, str, str, str], widths: Sequence[int]) -> str:
    if not any(cell[1:]):
        return cell[0]
    return "  ".join([cell[0].ljust(widths[0]), *(cell[i].rjust(widths[i]) for i in (1, 2, 3))])
