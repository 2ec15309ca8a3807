"""The before/after rows and cards, and the terminal table made from them."""

from __future__ import annotations

from typing import Any

from disparsity.report.machine_rows import coverage_text, machine_text
from disparsity.report.schema import empty_report
from disparsity.report.summary import cards, comparisons, data_ends
from disparsity.report.terminal import summary_table


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
    assert (labels["DRAM, tiled for the buffer"].before, labels["buffer energy"].after) == ("75.0 MB", "2.25 mJ")
    assert (labels["cycles with memory, zeros skipped"].change, labels["time"].after) == ("−76.00 %", "1,025 ms")
    assert (labels["gating: cycles"].change, labels["skipping balanced: cycles"].change) == ("0.00 %", "−80.05 %")
    assert (labels["both not 0"].after, labels["both not 0"].change) == ("50.0 k", "−95.00 %")
    assert labels["both not 0"].group == "products on real pairs (1 at 256×512, cropped)"
    assert labels["these weights, on the pairs"].after == "18 bit"
    assert labels["adders per non-zero weight"].after == "0.42"


def test_without_pairs_a_report_says_so(report: dict[str, Any]) -> None:
    report["effectual"] = None
    labels = {row.label: row.after for row in comparisons(report)}
    assert labels["by zeros of activations"] == labels["these weights, on the pairs"] == "not measured"


def test_the_machine_and_the_coverage_in_a_line_each(report: dict[str, Any]) -> None:
    assert machine_text(report) == "16×16 array, os, buffer 128 KiB, DRAM 16 B per cycle, 16 lanes, 400 MHz"
    assert coverage_text({"macs_modelled_percent": 99.0, "bytes_modelled_percent": None, "unmodelled": ["a", "b"]}) == (
        "modelled: 99.00 % of MACs, not known of bytes; not modelled: a, b"
    )
    lines = summary_table(report).splitlines()
    assert lines[-3].startswith("machine: 16x16 array, os")
    assert lines[-2].startswith("modelled: 99.98 % of MACs")
    assert "runs no faster on a CPU" in lines[-1]


def test_the_terminal_table_is_aligned_ascii(report: dict[str, Any]) -> None:
    text = summary_table(report)
    assert text.isascii()
    lines = text.splitlines()
    assert lines[0] == "stereonet: 624 k parameters, input 544x960"
    changed = [row.label for row in comparisons(report) if row.change]
    rows = [line for line in lines if any(line.startswith(f"  {label}  ") for label in changed)]
    assert len(rows) > 20
    assert len({len(line) for line in rows}) == 1
    assert any(line.split() == ["EPE", "1.366", "px", "1.842", "px", "x1.35"] for line in lines)


def test_an_empty_report_says_not_known_and_shows_no_figure() -> None:
    text = summary_table(empty_report())
    assert "not known" in text
    table = text[text.index("memory") :]
    assert " 0 " not in table
    assert "100.00" not in table
