"""The charts: what they show, that they leave out what is not known, and that their bytes repeat."""

from __future__ import annotations

from dataclasses import replace

import pytest
from matplotlib.figure import Figure

from disparsity.hwcost.models.quantities import Ends
from disparsity.report.figures.figures import FIGURES, energy_split, error_against_cost, stage_bytes
from disparsity.report.figures.rendering import png_bytes, svg_bytes
from disparsity.report.report import Report


def test_a_report_without_figures_has_no_charts(empty: Report) -> None:
    assert [draw(empty) for draw in FIGURES.values()] == [None] * len(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_every_chart_draws_the_sample_with_repeating_bytes(report: Report, name: str) -> None:
    first, second = FIGURES[name](report), FIGURES[name](report)
    assert isinstance(first, Figure)
    assert isinstance(second, Figure)
    drawn = svg_bytes(first)
    assert drawn == svg_bytes(second)
    assert b"<dc:date>" not in drawn
    assert png_bytes(first, dpi=40) == png_bytes(second, dpi=40)


def test_error_against_cost_leaves_out_a_stage_without_bytes(report: Report) -> None:
    assert stage_bytes(report) == {"dense": 2_496_004, "pruned": 274_500, "quantized": 58_432}
    figure = error_against_cost(replace(report, memory=replace(report.memory, stage_bytes=None)))
    assert figure is not None
    line = figure.axes[0].get_lines()[0]
    assert list(line.get_xdata()) == [2_496_004, 58_432]
    assert list(line.get_ydata()) == [1.366, 1.842]


def test_energy_bars_are_those_that_are_known(report: Report) -> None:
    hardware = replace(report.hardware, memory_energy_pj=Ends(dense=None, compressed=None))
    figure = energy_split(replace(report, hardware=hardware, traffic=None))
    assert figure is not None
    assert [bar.get_width() for bar in figure.axes[0].patches] == [421_820_000_000.0, 1_224_000_000.0]


def test_energy_is_split_into_products_buffer_and_dram(report: Report) -> None:
    figure = energy_split(report)
    assert figure is not None
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["MAC, dense", "MAC, compressed", "SRAM, dense", "SRAM, compressed", "DRAM, tiled, dense",
                     "DRAM, tiled, compressed"]  # fmt: skip
    assert [bar.get_width() for bar in figure.axes[0].patches][2:] == [4.93e9, 2.25e9, 12.2e9, 1.98e9]
