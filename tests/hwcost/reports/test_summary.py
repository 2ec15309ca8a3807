"""The before/after rows and cards, and the terminal table made from them."""

from __future__ import annotations

from typing import Any

from disparsity.hwcost.reports.schema import empty_report
from disparsity.hwcost.reports.summary import cards, comparisons, data_ends
from disparsity.hwcost.reports.text import summary_table


def test_cards_state_the_reports_own_figures(report: dict[str, Any]) -> None:
    assert [(card.label, card.figure) for card in cards(report)] == [
        ("Weight memory", "−97.66 %"),
        ("MAC energy", "−99.71 %"),
        ("Bit operations", "−99.79 %"),
        ("Disparity error (EPE)", "×1.35"),
    ]


def test_a_reduction_that_is_not_stated_is_computed(report: dict[str, Any]) -> None:
    report["memory"] |= {"dense_bytes": 1000, "packed_file_bytes": 50, "reduction_percent": None}
    assert cards(report)[0].figure == "−95.00 %"


def test_the_last_evaluated_stage_is_compared_whatever_the_order(report: dict[str, Any]) -> None:
    report["accuracy"] = report["accuracy"][:2][::-1]
    ((before, after),) = data_ends(report)
    assert (before["stage"], after["stage"]) == ("dense", "pruned")


def test_aggregations_are_not_mixed(report: dict[str, Any]) -> None:
    report["accuracy"] += [{**row, "aggregation": "per image"} for row in report["accuracy"]]
    assert len(data_ends(report)) == 4
    assert all(before["aggregation"] == after["aggregation"] for before, after in data_ends(report))


def test_every_kind_of_cost_has_a_row(report: dict[str, Any]) -> None:
    labels = {row.label: row for row in comparisons(report)}
    assert labels["packed file"].after == "58.4 kB"
    assert labels["BOPs (uniq)"].before == "101 T"
    assert labels["total energy"].before == "425 mJ"
    assert labels["cycles"].after == "not known"
    assert labels["peak live activations"].change == "−75.00 %"


def test_the_terminal_table_is_aligned_ascii(report: dict[str, Any]) -> None:
    text = summary_table(report)
    assert text.isascii()
    lines = text.splitlines()
    assert lines[0] == "stereonet: 624 k parameters, input 544x960"
    rows = [line for line in lines if line.startswith("  ") and "utilization" not in line]
    assert len({len(line) for line in rows}) == 1
    assert any(line.split() == ["EPE", "1.366", "px", "1.842", "px", "x1.35"] for line in lines)


def test_an_empty_report_says_not_known_and_shows_no_figure() -> None:
    text = summary_table(empty_report())
    assert "not known" in text
    table = text[text.index("memory") :]
    assert " 0 " not in table
    assert "100.00" not in table
