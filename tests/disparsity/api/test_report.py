"""A report in Python: fields, summary, figures and files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from disparsity.api.report import Report
from disparsity.base.errors import InputError
from disparsity.report.figures.figures import FIGURES
from disparsity.report.schema import parse_report
from disparsity.report.terminal import summary_table


@pytest.fixture
def content(finished: Path) -> bytes:
    return (finished / "report" / "report.json").read_bytes()


@pytest.fixture
def report(content: bytes) -> Report:
    return Report(parse_report(content))


def test_it_is_a_mapping_that_prints_the_summary(report: Report, content: bytes) -> None:
    assert dict(report) == json.loads(content)
    assert len(report) == len(json.loads(content))
    assert str(report) == summary_table(parse_report(content))


def test_every_figure_of_the_page(report: Report) -> None:
    assert all(isinstance(report.figure(name), Figure) for name in FIGURES)
    with pytest.raises(InputError, match=r"unknown figure 'rooflin'; expected .*; did you mean 'roofline'"):
        report.figure("rooflin")


def test_it_writes_its_folder(report: Report, content: bytes, tmp_path: Path) -> None:
    report.write(tmp_path / "out")
    assert (tmp_path / "out" / "report.json").read_bytes() == content
    assert (tmp_path / "out" / "report.html").is_file()
