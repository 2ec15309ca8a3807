"""The charts: what they show, that they leave out what is not known, and that their bytes repeat."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from matplotlib.figure import Figure

from disparsity.hwcost.layer_table import LayerRow
from disparsity.hwcost.models.quantities import Ends
from disparsity.report.figures.figures import FIGURES, energy_split, error_against_cost, stage_bytes
from disparsity.report.figures.layer_figures import cycles_and_utilization, sparsity_and_bits
from disparsity.report.figures.rendering import png_bytes, svg_bytes
from disparsity.report.figures.roofline_figure import roofline
from disparsity.report.figures.training_chart import running_steps, training_curves
from disparsity.report.report import Report


def test_a_report_without_figures_has_no_charts(empty: Report) -> None:
    assert [draw(empty) for draw in FIGURES.values()] == [None] * len(FIGURES)
    assert training_curves([]) is None
    assert training_curves([{"stage": "a", "step": 1, "loss": None}]) is None


@pytest.mark.parametrize("name", FIGURES)
def test_every_chart_draws_the_sample_with_repeating_bytes(report: Report, name: str) -> None:
    first, second = FIGURES[name](report), FIGURES[name](report)
    assert isinstance(first, Figure)
    assert isinstance(second, Figure)
    drawn = svg_bytes(first)
    assert drawn == svg_bytes(second)
    assert b"<dc:date>" not in drawn
    assert png_bytes(first, dpi=40) == png_bytes(second, dpi=40)


def test_siamese_layers_are_drawn_once(report: Report) -> None:
    figure = sparsity_and_bits(report)
    assert figure is not None
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == list(dict.fromkeys(layer.name for layer in report.layers))
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    first = report.layers[0]
    assert widths[0] == pytest.approx(100 * (1 - first.nnz / first.weight_count))


def test_layers_without_weights_are_left_out_and_an_unknown_bit_width_is_said(report: Report) -> None:
    layers = (
        LayerRow(name="volume", weight_count=0, weight_bits=32),
        LayerRow(name="conv", weight_count=10, sparsity_percent=60.0),
    )
    figure = sparsity_and_bits(replace(report, layers=layers))
    assert figure is not None
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["conv"]
    assert [bar.get_width() for bar in figure.axes[0].patches] == [pytest.approx(60.0)]
    assert [text.get_text() for text in figure.axes[1].texts] == ["not known"]


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


def test_training_steps_run_on_through_the_stages(history: list[dict[str, Any]]) -> None:
    steps, starts = running_steps(history)
    assert steps == sorted(steps)
    assert steps[-1] == 1800
    assert starts == [(0, "00-prune"), (800, "01-finetune"), (1200, "03-finetune-quantized")]
    figure = training_curves(history)
    assert figure is not None
    assert [ax.get_ylabel() for ax in figure.axes] == ["loss", "EPE [px]", "sparsity [%]"]
    assert max(figure.axes[2].get_lines()[0].get_ydata()) == pytest.approx(94.0)


def test_energy_is_split_into_products_buffer_and_dram(report: Report) -> None:
    figure = energy_split(report)
    assert figure is not None
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["MAC, dense", "MAC, compressed", "SRAM, dense", "SRAM, compressed", "DRAM, tiled, dense",
                     "DRAM, tiled, compressed"]  # fmt: skip
    assert [bar.get_width() for bar in figure.axes[0].patches][2:] == [4.93e9, 2.25e9, 12.2e9, 1.98e9]


def test_the_roofline_has_a_point_per_call_under_both_roofs(report: Report) -> None:
    figure = roofline(report)
    assert figure is not None
    (ax,) = figure.axes
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    dense, compressed = (collection.get_offsets() for collection in ax.collections)
    assert len(dense) == len(compressed) == len(report.layers)
    first = report.layers[0]
    assert dense[0].tolist() == [8.0, pytest.approx(first.dense_macs / first.dense_roofline_cycles)]
    intensity, roof = ax.get_lines()[0].get_data()
    assert (intensity[1], roof[1], roof[2]) == (16.0, 256, 256)
    assert roof[0] == pytest.approx(16 * intensity[0])


def test_a_roofline_without_traffic_is_left_out(report: Report) -> None:
    layers = [replace(each, intensity_macs_per_byte=None, dense_roofline_cycles=None) for each in report.layers]
    assert roofline(replace(report, layers=tuple(layers))) is None


def test_cycles_are_those_of_all_calls_and_unknown_ones_are_said(report: Report) -> None:
    figure = cycles_and_utilization(report)
    assert figure is not None
    first = [layer for layer in report.layers if layer.name == "features.down0"]
    assert len(first) == 2
    assert figure.axes[0].patches[0].get_width() == sum(layer.cycles for layer in first)
    assert "not known" in [text.get_text() for text in figure.axes[0].texts]
