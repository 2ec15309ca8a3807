"""report.md: the report as Markdown, for a repository, a review or a lab book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from disparsity.base.markdown import escaped, escaped_table
from disparsity.hwcost.layer_table import LayerRow
from disparsity.hwcost.models.quantities import UNKNOWN
from disparsity.report.accuracy import AccuracyRow
from disparsity.report.columns import COLUMNS, GROUP_OF
from disparsity.report.notes import coverage_text, machine_text, notes
from disparsity.report.numbers import count_text, exact_text
from disparsity.report.report import Report
from disparsity.report.settings import SLOTS
from disparsity.report.summary import lines

_ACCURACY = ("data", "stage", "epe_px", "bad1_percent", "bad2_percent", "bad3_percent", "d1_percent", "images")
_LAYERS = (
    "name", "call", "kind", "weight_count", "sparsity_percent", "weight_bits", "activation_bits", "effectual_macs",
    "best_bytes", "cycles", "roofline_cycles", "bound", "dram_bytes", "skipped_cycles", "lane_utilization",
    "joint_effectual_percent", "accumulator_weights_bits",
)  # fmt: skip


def markdown_report(report: Report, figures: Mapping[str, str]) -> str:
    """The whole report.

    Args:
        report: any.
        figures: caption by the path of a chart beside the report, in order.

    """
    parts = [
        _head(report),
        "## Before and after",
        *_comparison(report),
        f"Machine: {escaped(machine_text(report))}.",
        f"Coverage: {escaped(coverage_text(report.coverage))}.",
        *map(escaped, notes(report)),
        *_accuracy(report.accuracy),
        *(["## Charts"] if figures else []),
        *(f"![{escaped(caption)}]({path})" for path, caption in figures.items()),
        *_layers(report.layers),
        "## Settings",
        escaped_table(
            ("setting", "value"), [(slot, exact_text(getattr(report.settings, slot))) for slot in (*SLOTS, "seed")]
        ),
        f"{report.schema}, version {report.version}. A figure that is not known is never shown as 0.",
    ]
    return "\n\n".join(parts) + "\n"


def _head(report: Report) -> str:
    network = report.network
    size = UNKNOWN if network.input_size is None else "×".join(map(str, network.input_size))
    return (
        f"# {escaped(network.name or UNKNOWN)}: what compression saves and costs\n\n"
        f"{count_text(network.parameters)} parameters, input {size}, disparity up to "
        f"{exact_text(network.max_disparity)} px, hardware profile {escaped(report.hardware.profile or UNKNOWN)}."
    )


def _comparison(report: Report) -> list[str]:
    return [
        escaped_table(
            (group, "dense", "compressed", "change"), [(row.label, row.before, row.after, row.change) for row in rows]
        )
        for group, rows in groupby(lines(report), lambda row: row.group)
    ]


def _accuracy(rows: Sequence[AccuracyRow]) -> list[str]:
    if not rows:
        return []
    cells = [[exact_text(getattr(row, name)) for name in _ACCURACY] for row in rows]
    return ["## Accuracy", escaped_table(_ACCURACY, cells)]


def _layers(layers: Sequence[LayerRow]) -> list[str]:
    """The layers with weights in the columns that matter most, and what every column of layers.csv means."""
    if not layers:
        return []
    names = [name for name in _LAYERS if any(getattr(layer, name) is not None for layer in layers)]
    rows = [[_cell(getattr(layer, name)) for name in names] for layer in layers if layer.weight_count]
    meanings = [(name, COLUMNS[name].unit, COLUMNS[name].formula, COLUMNS[name].source) for name in GROUP_OF]
    return [
        "## Layers",
        "Layers with weights, one row per call; every call and column is in layers.csv.",
        escaped_table([COLUMNS[name].label for name in names], rows),
        "## Columns of layers.csv",
        "An empty cell is a figure that is not known or does not apply.",
        escaped_table(("column", "unit", "formula", "source"), meanings),
    ]


def _cell(value: Any) -> str:
    return "–" if value is None else exact_text(value)
