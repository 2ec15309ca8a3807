"""report.md: tables that stay tables, whatever a name holds."""

from __future__ import annotations

import re
from dataclasses import replace

from disparsity.report.columns import COLUMNS
from disparsity.report.markdown import markdown_report
from disparsity.report.report import Report

CELL_END = re.compile(r"(?<!\\)\|")


def tables(text: str) -> list[list[list[str]]]:
    """The cells of every table, by lines that follow each other."""
    found: list[list[list[str]]] = []
    lines = text.splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("|"):
            if not before.startswith("|"):
                found.append([])
            found[-1].append([cell.strip() for cell in CELL_END.split(line)[1:-1]])
    return found


def test_every_table_is_rectangular_and_holds_the_figures(report: Report) -> None:
    text = markdown_report(report, {"figures/roofline.svg": "The roofs."})
    for rows in tables(text):
        assert len({len(row) for row in rows}) == 1
        assert set(rows[1]) == {"---"}
    cells = [cell for rows in tables(text) for row in rows for cell in row]
    assert {"−97.66 %", "58.4 kB", "−76.00 %", "18 bit", "features.down0", "dram\\_bytes"} <= set(cells)
    assert "![The roofs.](figures/roofline.svg)" in text
    assert "Coverage: modelled: 99.98 % of MACs, not known of bytes; not modelled: soft-argmin." in text
    assert "Machine: 16×16 array, os, buffer 128 KiB" in text


def test_every_column_of_the_csv_that_is_there_is_explained(report: Report) -> None:
    text = markdown_report(report, {})
    meanings = next(rows for rows in tables(text) if rows[0] == ["column", "unit", "formula", "source"])
    names = [row[0].replace("\\", "") for row in meanings[2:]]
    assert "roofline_cycles" in names
    assert len(names) == len(set(names))
    assert sorted(names) == sorted(COLUMNS)


def test_markup_in_a_name_is_shown_and_not_taken(report: Report) -> None:
    name = "a|b\n<img src=x> [x](y)"
    layers = (replace(report.layers[0], name=name), *report.layers[1:])
    text = markdown_report(replace(report, layers=layers, network=replace(report.network, name=name)), {})
    assert "a\\|b &lt;img src=x> \\[x](y)" in text
    assert "<img" not in text
    assert all(len({len(row) for row in rows}) == 1 for rows in tables(text))


def test_an_empty_report_says_not_known(empty: Report) -> None:
    text = markdown_report(empty, {})
    assert text.count("not known") > 30
    assert "None" not in text
    assert "## Layers" not in text
