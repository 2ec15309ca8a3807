"""Which stages are compared, and how their errors change."""

from __future__ import annotations

from dataclasses import replace

from disparsity.report.accuracy import accuracy_rows, data_ends
from disparsity.report.report import Report


def test_the_last_evaluated_stage_is_compared_whatever_the_order(report: Report) -> None:
    ((before, after),) = data_ends(report.accuracy[:2][::-1])
    assert (before.stage, after.stage) == ("dense", "pruned")


def test_aggregations_are_not_mixed(report: Report) -> None:
    others = [replace(row, aggregation="per image") for row in report.accuracy]
    found = data_ends([*report.accuracy, *others])
    assert len(found) == 4
    assert all(before.aggregation == after.aggregation for before, after in found)


def test_a_stage_alone_is_compared_with_nothing(report: Report) -> None:
    assert accuracy_rows(report.accuracy[:1]) == accuracy_rows(report.accuracy[1:2]) == []


def test_errors_in_pixels_change_by_a_factor_and_percentages_in_points(report: Report) -> None:
    rows = accuracy_rows(report.accuracy)
    assert [(row.label, row.before, row.after, row.change) for row in rows[:3]] == [
        ("EPE", 1.366, 1.842, "factor"),
        ("bad-3", 6.4, 8.7, "points"),
        ("D1", 6.05, 8.11, "points"),
    ]
    assert rows[0].group == "accuracy, sceneflow: FlyingThings3D TEST, pooled"
