"""The terminal's table: aligned, in ASCII, and honest about what is not known."""

from __future__ import annotations

from disparsity.report.report import Report
from disparsity.report.summary import lines
from disparsity.report.terminal import summary_table


def test_the_foot_names_machine_coverage_and_zeros(report: Report) -> None:
    text = summary_table(report).splitlines()
    assert text[-3].startswith("machine: 16x16 array, os")
    assert text[-2].startswith("modelled: 99.98 % of MACs")
    assert "runs no faster on a CPU" in text[-1]


def test_the_terminal_table_is_aligned_ascii(report: Report) -> None:
    text = summary_table(report)
    assert text.isascii()
    shown = text.splitlines()
    assert shown[0] == "stereonet: 624 k parameters, input 544x960"
    changed = [row.label for row in lines(report) if row.change]
    rows = [line for line in shown if any(line.startswith(f"  {label}  ") for label in changed)]
    assert len(rows) > 20
    assert len({len(line) for line in rows}) == 1
    assert any(line.split() == ["EPE", "1.366", "px", "1.842", "px", "x1.35"] for line in shown)


def test_an_empty_report_says_not_known_and_shows_no_figure(empty: Report) -> None:
    text = summary_table(empty)
    assert "not known" in text
    table = text[text.index("memory") :]
    assert " 0 " not in table
    assert "100.00" not in table
