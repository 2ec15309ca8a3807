"""layers.csv read back with the standard reader."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from disparsity.hwcost.layer_table import LayerRow
from disparsity.report.columns import COLUMNS
from disparsity.report.layers_csv import layers_csv
from disparsity.report.report import Report


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_columns_are_those_of_a_row_and_unknown_figures_are_empty() -> None:
    head, line = layers_csv([LayerRow(name="x", cycles=0)]).splitlines()
    assert head.split(",") == list(COLUMNS)
    assert dict(zip(head.split(","), line.split(","), strict=True)) == {
        **dict.fromkeys(COLUMNS, ""),
        "name": "x",
        "cycles": "0",
    }


def test_a_real_table_round_trips(report: Report) -> None:
    rows = read(layers_csv(report.layers))
    assert len(rows) == len(report.layers)
    for row, layer in zip(rows, report.layers, strict=True):
        for name, value in asdict(layer).items():
            if value is None:
                assert row[name] == ""
            else:
                assert (row[name] if isinstance(value, str) else json.loads(row[name])) == value


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"))))
def test_any_name_survives_quoting(names: list[str]) -> None:
    rows = read(layers_csv([LayerRow(name=name, call=0) for name in names]))
    assert [row["name"] for row in rows] == names
