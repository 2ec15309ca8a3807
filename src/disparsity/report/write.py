"""A report's folder: report.json, layers.csv, report.md, report.html, figures and panels, each written atomically."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from disparsity.base.atomic_io import write_bytes
from disparsity.evaluation.panels import Panel
from disparsity.report.figures.figures import FIGURES
from disparsity.report.figures.mask_figures import Masks, channel_maps, weight_masks
from disparsity.report.figures.panel_figure import draw_panels
from disparsity.report.figures.rendering import png_bytes, svg_bytes
from disparsity.report.figures.training_chart import training_curves
from disparsity.report.html import Picture, render_html
from disparsity.report.layers_csv import layers_csv
from disparsity.report.markdown import markdown_report
from disparsity.report.report import Report
from disparsity.report.schema import report_text

PAGE_PICTURE_BYTES = 4_000_000
_FILE_DPI, _PAGE_DPI = 150, 100

_CAPTIONS = {
    "sparsity_and_bits": "Sparsity and bits of every layer, in the order of execution.",
    "memory_by_format": "Weight memory in every storage format; index, tables and scales included.",
    "error_against_cost": "Disparity error against weight memory over the stages; lower left is better.",
    "energy_split": "Energy of products, of the on-chip buffer and of DRAM, before and after.",
    "roofline": "Calls with weights under the machine's roofs; compression moves them right, away from the memory.",
    "cycles_and_utilization": "Cycles of every layer, and how busy multipliers and lanes are; memory not waited for.",
    "channel_maps": "What is left of every kernel: output channels down, input channels across, one scale for all.",
    "weight_masks": "Every single weight of the layers: black where it is left.",
    "training_curves": "Loss, error and sparsity while the network was compressed.",
}


def write_report(
    folder: Path,
    report: Report,
    panels: Sequence[Panel],
    history: Sequence[Mapping[str, Any]],
    masks: Masks | None = None,
) -> list[Path]:
    """Write a whole report.

    Args:
        folder: where it goes; made when absent.
        report: of a run, or of costs alone.
        panels: stereo pairs to draw; the page holds as many as fit, the folder all of them.
        history: rows of the stages' metrics, in order, with ``stage``, ``step``, ``loss`` and, where known,
            ``epe_px`` and ``sparsity`` (0..1).
        masks: where each layer's weights are not zero; None draws no masks.

    Returns:
        The files that were written, in order.

    Raises:
        CorruptArtefactError: a figure of the report is outside its limits; nothing has been written.

    """
    stored = report_text(report)
    written: list[Path] = []

    def put(name: str, content: bytes) -> None:
        write_bytes(folder / name, content)
        written.append(folder / name)

    put("report.json", stored.encode("utf-8"))
    put("layers.csv", layers_csv(report.layers).encode("utf-8"))
    charts = {name: figure for name, figure in _charts(report, history, masks or {}).items() if figure is not None}
    pictures, linked = [], {}
    for name, figure in charts.items():
        svg = svg_bytes(figure)
        put(f"figures/{name}.png", png_bytes(figure))
        put(f"figures/{name}.svg", svg)
        linked[f"figures/{name}.svg"] = _CAPTIONS[name]
        pictures.append(Picture(kind="svg+xml", content=svg, alt=_alt(name, report), caption=_CAPTIONS[name]))
    shown: list[Picture] = []
    for index, panel in enumerate(panels):
        figure = panel_figure(panel)
        put(f"panels/{index:02d}-{_slug(panel.id)}.png", png_bytes(figure, _FILE_DPI))
        put(f"panels/{index:02d}-{_slug(panel.id)}.svg", svg_bytes(figure))
        _show(shown, panel, png_bytes(figure, _PAGE_DPI))
    put("report.md", markdown_report(report, linked).encode("utf-8"))
    page = render_html(report, shown, pictures, len(panels) - len(shown))
    put("report.html", page.encode("utf-8"))
    return written


def panel_figure(panel: Panel) -> Figure:
    """The figure of one pair, titled with its id."""
    return draw_panels(panel.left, panel.ground_truth, panel.valid, panel.dense, panel.compressed, title=panel.id)


def _charts(report: Report, history: Sequence[Mapping[str, Any]], masks: Masks) -> dict[str, Figure | None]:
    return {
        **{name: draw(report) for name, draw in FIGURES.items()},
        "channel_maps": channel_maps(masks),
        "weight_masks": weight_masks(masks),
        "training_curves": training_curves(history),
    }


def _show(shown: list[Picture], panel: Panel, content: bytes) -> None:
    """Take a pair into the page while the budget lasts."""
    if sum(len(picture.content) for picture in shown) + len(content) <= PAGE_PICTURE_BYTES:
        shown.append(Picture(kind="png", content=content, alt=_panel_alt(panel), caption=panel.id))


def _panel_alt(panel: Panel) -> str:
    density = 100.0 * float(np.mean(panel.valid))
    return (
        f"Stereo pair {panel.id}: left image, ground truth ({density:.0f} % of pixels), disparity of the dense and of "
        "the compressed network, and the error of each"
    )


def _alt(name: str, report: Report) -> str:
    return f"Chart for {report.network.name or 'the network'}. {_CAPTIONS[name]}"


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:80]
