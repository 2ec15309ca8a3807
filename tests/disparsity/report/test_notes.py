"""Notes: the machine, the coverage, warnings, and what a report says of zeros on a CPU."""

from __future__ import annotations

from dataclasses import replace

import pytest

from disparsity.evaluation.measured_latency import MeasuredLatency
from disparsity.hwcost.models.coverage import CoverageSection
from disparsity.report.markdown import markdown_report
from disparsity.report.notes import coverage_text, machine_text, notes, zeros_text
from disparsity.report.report import Report, unknown


def test_the_machine_and_the_coverage_in_a_line_each(report: Report, empty: Report) -> None:
    assert machine_text(report) == "16×16 array, os, buffer 128 KiB, DRAM 16 B per cycle, 16 lanes, 400 MHz"
    assert machine_text(empty).startswith("not known array, not known, buffer not known")
    coverage = CoverageSection(macs_modelled_percent=99.0, bytes_modelled_percent=None, unmodelled=("a", "b"))
    assert coverage_text(coverage) == "modelled: 99.00 % of MACs, not known of bytes; not modelled: a, b"


@pytest.mark.parametrize(("pattern", "words"), [
    ("element", "no faster on a CPU"), ("2:4", "no faster on a CPU"), ("channel", "smaller dense network"),
])  # fmt: skip
def test_what_zeros_do_on_a_cpu_is_said_plainly(report: Report, pattern: str, words: str) -> None:
    measured = replace(unknown(MeasuredLatency), warnings=("slow <here>",))
    found = replace(report, measured_latency=measured, settings=replace(report.settings, pattern=pattern))
    assert notes(found)[0] == "Warning: slow <here>."
    assert words in notes(found)[1]
    text = markdown_report(found, {})
    assert words in text
    assert "slow &lt;here>" in text


@pytest.mark.parametrize("pattern", [None, "none"])
def test_unpruned_networks_have_no_zeros_to_speak_of(empty: Report, pattern: str | None) -> None:
    assert zeros_text(pattern) is None
    assert notes(empty) == []
