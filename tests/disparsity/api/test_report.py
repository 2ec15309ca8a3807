"""A report in Python: fields, summary, figures and files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from disparsity.api.report import Report
from disparsity.base.errors import InputError
from disparsity.report.figures.figures import FIGURES
from disparsity.report.terminal import summary_table


@pytest.fixture
def fields(finished: Path) -> dict:
    return json.loads((finished / "report" / "report.json").read_text())


def test_it_is_a_mapping_that_prints_the_summary(fields: dict) -> None:
    report = Report(fields)
    assert dict(report) == fields
    assert len(report) == len(fields)
    assert str(report) == summary_table(fields)


def test_every_figure_of_the_page(fields: dict) -> None:
    assert all(isinstance(Report(fields).figure(name), Figure) for name in FIGURES)
    with pytest.raises(InputError, match=r"unknown figure 'rooflin'; expected .*; did you mean 'roofline'"):
        Report(fields).figure("rooflin")


def test_it_writes_its_folder(fields: dict, tmp_path: Path) -> None:
    Report(fields).write(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == fields
    assert (tmp_path / "out" / "report.html").is_file()
