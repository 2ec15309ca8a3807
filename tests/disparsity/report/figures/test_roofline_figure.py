"""The roofline: a point per call under both roofs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from disparsity.report.figures.roofline_figure import roofline
from disparsity.report.report import Report


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
