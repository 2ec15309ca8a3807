"""report.md: the report as Markdown, for a repository, a review or a lab book."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from disparsity.report.columns import COLUMNS, column, grouped
from disparsity.report.layers_csv import column_names
from disparsity.report.machine_rows import coverage_text, machine_text
from disparsity.report.measured_rows import measured_notes
from disparsity.report.numbers import UNKNOWN, count_text, exact_text
from disparsity.report.schema import SLOTS
from disparsity.report.summary import comparisons

Report = Mapping[str, Any]

_ACCURACY = ("data", "stage", "epe_px", "bad1_percent", "bad2_percent", "bad3_percent", "d1_percent", "images")
_LAYERS = (
    "name", "call", "kind", "weight_count", "sparsity_percent", "weight_bits", "activation_bits", "effectual_macs",
    "best_bytes", "cycles", "roofline_cycles", "bound", "dram_bytes", "skipped_cycles", "lane_utilization",
    "joint_effectual_percent", "accumulator_weights_bits",
)  # fmt: skip


def markdown_report(report: Report, figures: Mapping[str, str]) -> str:
    """The whole report.

    Args:
        report: as in report.json, already validated.
        figures: caption by the path of a chart beside the report, in order.

    """
    parts = [
        _head(report),
        "## Before and after",
        *_comparison(report),
        f"Machine: {_safe(machine_text(report))}.",
        f"Coverage: {_safe(coverage_text(report['coverage']))}.",
        *(_safe(note) for note in measured_notes(report)),
        *_accuracy(report["accuracy"]),
        *(["## Charts"] if figures else []),
        *(f"![{_safe(caption)}]({path})" for path, caption in figures.items()),
        *_layers(report["layers"]),
        "## Settings",
        _table(("setting", "value"), ((slot, exact_text(report["settings"][slot])) for slot in (*SLOTS, "seed"))),
        f"{report['schema']}, version {report['version']}. A figure that is not known is never shown as 0.",
    ]
    return "\n\n".join(parts) + "\n"


def _head(report: Report) -> str:
    network = report["network"]
    profile = report["hardware"]["profile"] or UNKNOWN
    size = UNKNOWN if network["input_size"] is None else "×".join(map(str, network["input_size"]))
    return (
        f"# {_safe(network['name'] or UNKNOWN)}: what compression saves and costs\n\n"
        f"{count_text(network['parameters'])} parameters, input {size}, disparity up to "
        f"{exact_text(network['max_disparity'])} px, hardware profile {_safe(profile)}."
    )


def _comparison(report: Report) -> list[str]:
    parts = []
    for group, rows in groupby(comparisons(report), lambda row: row.group):
        cells = ((row.label, row.before, row.after, row.change) for row in rows)
        parts.append(_table((group, "dense", "compressed", "change"), cells))
    return parts


def _accuracy(rows: Sequence[Report]) -> list[str]:
    if not rows:
        return []
    return ["## Accuracy", _table(_ACCURACY, ([exact_text(row[name]) for name in _ACCURACY] for row in rows))]


def _layers(layers: Sequence[Report]) -> list[str]:
    """The layers with weights in the columns that matter most, and what every column of layers.csv means."""
    if not layers:
        return []
    names = [name for name in _LAYERS if any(layer.get(name) is not None for layer in layers)]
    rows = ([_cell(layer.get(name)) for name in names] for layer in layers if layer.get("weight_count"))
    every = [name for members in grouped(column_names(layers)).values() for name in members if name in COLUMNS]
    meanings = ((name, column(name).unit, column(name).formula, column(name).source) for name in every)
    return [
        "## Layers",
        "Layers with weights, one row per call; every call and column is in layers.csv.",
        _table([column(name).label for name in names], rows),
        "## Columns of layers.csv",
        "An empty cell is a figure that is not known or does not apply.",
        _table(("column", "unit", "formula", "source"), meanings),
    ]


def _cell(value: Any) -> str:
    return "–" if value is None else exact_text(value)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_line(heads), _line(["---"] * len(heads)), *(_line(row) for row in rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_safe(cell) for cell in cells) + " |"


def _safe(text: str) -> str:
    """Text that neither ends a cell nor is taken for markup."""
    replaced = {
        "&": "&amp;",
        "<": "&lt;",
        "|": "\\|",
        "[": "\\[",
        "*": "\\*",
        "_": "\\_",
        "`": "\\`",
        "\n": " ",
        "\r": " ",
    }
    return "".join(replaced.get(sign, sign) for sign in text)
