"""The lines of the before/after table, and the headline figures."""

from __future__ import annotations

from dataclasses import replace

from disparsity.report.report import Report
from disparsity.report.summary import cards, lines


def test_cards_state_the_reports_own_figures(report: Report) -> None:
    assert [(card.label, card.figure) for card in cards(report)] == [
        ("Weight memory", "−97.66 %"),
        ("MAC energy", "−99.71 %"),
        ("Bit operations", "−99.79 %"),
        ("Disparity error (EPE)", "×1.35"),
    ]


def test_a_reduction_that_is_not_stated_is_computed(report: Report) -> None:
    memory = replace(report.memory, dense_bytes=1000, packed_file_bytes=50, reduction_percent=None)
    assert cards(replace(report, memory=memory))[0].figure == "−95.00 %"


def test_without_data_the_error_is_not_known(empty: Report) -> None:
    assert [card.figure for card in cards(empty)] == ["not known"] * 4


def test_every_kind_of_cost_has_a_row(report: Report) -> None:
    labels = {row.label: row for row in lines(report)}
    assert labels["packed file"].after == "58.4 kB"
    assert labels["BOPs (uniq)"].before == "101 T"
    assert labels["total energy"].before == "425 mJ"
    assert labels["cycles"].after == "not known"
    assert labels["peak live activations"].change == "−75.00 %"
    assert (labels["DRAM, tiled for the buffer"].before, labels["buffer energy"].after) == ("75.0 MB", "2.25 mJ")
    assert (labels["cycles with memory, zeros skipped"].change, labels["time"].after) == ("−76.00 %", "1,025 ms")
    assert (labels["gating: cycles"].change, labels["skipping balanced: cycles"].change) == ("0.00 %", "−80.05 %")
    assert (labels["both not 0"].after, labels["both not 0"].change) == ("50.0 k", "−95.00 %")
    assert labels["both not 0"].group == "products on real pairs (1 at 256×512, cropped)"
    assert labels["these weights, on the pairs"].after == "18 bit"
    assert labels["adders per non-zero weight"].after == "0.42"


def test_without_pairs_a_report_says_so(report: Report) -> None:
    labels = {row.label: row.after for row in lines(replace(report, effectual=None))}
    assert labels["by zeros of activations"] == labels["these weights, on the pairs"] == "not measured"
