"""Charts with a bar per layer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from disparsity.hwcost.layer_table import LayerRow
from disparsity.report.figures.layer_figures import cycles_and_utilization, sparsity_and_bits
from disparsity.report.report import Report


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


def test_cycles_are_those_of_all_calls_and_unknown_ones_are_said(report: Report) -> None:
    figure = cycles_and_utilization(report)
    assert figure is not None
    first = [layer for layer in report.layers if layer.name == "features.down0"]
    assert len(first) == 2
    assert figure.axes[0].patches[0].get_width() == sum(layer.cycles for layer in first)
    assert "not known" in [text.get_text() for text in figure.axes[0].texts]
