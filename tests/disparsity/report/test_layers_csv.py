"""layers.csv read back with the standard reader."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from disparsity.report.layers_csv import column_names, layers_csv


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_columns_are_the_union_in_the_order_of_first_sight() -> None:
    assert column_names([{"b": 1, "a": 2}, {"a": 3, "c": 4}]) == ["b", "a", "c"]


def test_unknown_and_absent_figures_are_empty_and_zero_is_zero() -> None:
    assert layers_csv([{"name": "x", "cycles": None}, {"name": "y", "macs": 0}]) == "name,cycles,macs\nx,,\ny,,0\n"


def test_a_real_table_round_trips(report: dict[str, Any]) -> None:
    rows = read(layers_csv(report["layers"]))
    assert len(rows) == len(report["layers"])
    for row, layer in zip(rows, report["layers"], strict=True):
        for name, value in layer.items():
            if value is None:
                assert row[name] == ""
            else:
                assert (row[name] if isinstance(value, str) else json.loads(row[name])) == value


@given(st.lists(st.fixed_dictionaries({"name": st.text(st.characters(codec="utf-8", exclude_characters="\r\0"))})))
def test_any_name_survives_quoting(layers: list[dict[str, str]]) -> None:
    assert [row["name"] for row in read(layers_csv([*layers, {"name": "end", "x": 1}]))][:-1] == [
        layer["name"] for layer in layers
    ]
