"""report.html: one page that holds everything it shows, opens without a network and prints cleanly."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import groupby
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from disparsity.hwcost.layer_table import LayerRow
from disparsity.hwcost.models.quantities import UNKNOWN
from disparsity.report.accuracy import AccuracyRow
from disparsity.report.columns import COLUMNS, GROUP_OF, GROUPS, OPERATIONS, SHAPE, TIME, TRAFFIC, WEIGHTS
from disparsity.report.notes import coverage_text, machine_text, notes
from disparsity.report.numbers import count_text, exact_text, percent_text
from disparsity.report.report import Report
from disparsity.report.settings import SLOTS, SettingsSection
from disparsity.report.summary import cards, lines

_SHOWN = (WEIGHTS, OPERATIONS, TIME, TRAFFIC)
"""Groups of columns that are shown before anybody has chosen."""
_OF_WEIGHTS = (WEIGHTS, SHAPE)
"""Groups that are printed for layers with weights alone."""

_ACCURACY_COLUMNS = {
    "data": "data",
    "stage": "stage",
    "epe_px": "EPE [px]",
    "bad1_percent": "bad-1 [%]",
    "bad2_percent": "bad-2 [%]",
    "bad3_percent": "bad-3 [%]",
    "d1_percent": "D1 [%]",
    "pixels": "pixels",
    "images": "images",
    "aggregation": "aggregation",
}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image inside the page: its bytes, what it shows for those who cannot see it, and a caption.

    Attributes:
        kind: ``png`` or ``svg+xml``.
        content: the file's bytes.
        alt: what the picture shows.
        caption: the line below it.

    """

    kind: str
    content: bytes
    alt: str
    caption: str

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return f"data:image/{self.kind};base64,{base64.b64encode(self.content).decode('ascii')}"


@dataclass(frozen=True)
class Cell:
    """One cell of the layer table: its text, and the number it is sorted by where it is one."""

    text: str
    number: float | None


@dataclass(frozen=True)
class Heading:
    """The head of a column: its text, its formula, its group's number, and whether it holds numbers."""

    label: str
    formula: str
    group: int
    numeric: bool


def render_html(report: Report, panels: Sequence[Picture], figures: Sequence[Picture], panels_left_out: int = 0) -> str:
    """The page as text.

    Args:
        report: any.
        panels: pictures of stereo pairs, in order.
        figures: charts, in order.
        panels_left_out: how many pairs are only in the folder ``panels``, to keep the page small.

    """
    page = {
        "report": report,
        "network": report.network,
        "cards": cards(report),
        "groups": [(group, list(rows)) for group, rows in groupby(lines(report), lambda row: row.group)],
        "accuracy_columns": list(_ACCURACY_COLUMNS.values()),
        "accuracy": [[_accuracy_cell(row, name) for name in _ACCURACY_COLUMNS] for row in report.accuracy],
        "panels": panels,
        "panels_left_out": panels_left_out,
        "figures": figures,
        "machine": machine_text(report),
        "coverage": coverage_text(report.coverage),
        "notes": notes(report),
        "column_groups": [
            (group, number, group in _SHOWN, group in _OF_WEIGHTS) for number, group in enumerate(GROUPS)
        ],
        "columns": [_heading(name, report.layers) for name in GROUP_OF],
        "layers": [
            (layer.weight_count == 0, [layer_cell(getattr(layer, name), name) for name in GROUP_OF])
            for layer in report.layers
        ],
        "slots": [(slot, exact_text(getattr(report.settings, slot))) for slot in SLOTS],
        "effort": _effort(report.settings),
    }
    return _environment().get_template("report.html").render(page)


def _heading(name: str, layers: Sequence[LayerRow]) -> Heading:
    numeric = any(layer_cell(getattr(layer, name), name).number is not None for layer in layers)
    return Heading(COLUMNS[name].label, COLUMNS[name].explanation, list(GROUPS).index(GROUP_OF[name]), numeric)


def layer_cell(value: Any, name: str) -> Cell:
    """A figure of a layer: numbers keep their value for sorting, so that 9 comes before 10."""
    if value is None:
        return Cell("–", None)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = f"{value:.2f}" if is_number and name.endswith("_percent") else exact_text(value)
    return Cell(text, float(value) if is_number else None)


def _accuracy_cell(row: AccuracyRow, name: str) -> str:
    value = getattr(row, name)
    if isinstance(value, float):
        return f"{value:.3f}" if name == "epe_px" else f"{value:.2f}"
    return exact_text(value)


def _effort(settings: SettingsSection) -> list[tuple[str, str]]:
    rows = [("seed", exact_text(settings.seed))]
    for label, figures in (("steps", settings.steps), ("seconds", settings.seconds)):
        if figures is None:
            rows.append((label, UNKNOWN))
        else:
            rows += [(f"{label}, {stage}", exact_text(figure)) for stage, figure in figures.items()]
    return rows


def _template(name: str) -> str:
    return resources.files("disparsity.report").joinpath("templates", name).read_text(encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count=count_text, percent=percent_text, exact=exact_text)
    environment.globals["unknown"] = UNKNOWN
    return environment
