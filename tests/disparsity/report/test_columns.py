"""Every column of the layer table is explained, in one group, with the unit that its name promises."""

from __future__ import annotations

from dataclasses import fields

from disparsity.hwcost.layer_table import LayerRow
from disparsity.report.columns import COLUMNS, GROUP_OF, GROUPS

UNITS = {"_bytes": "B", "_bits": "bit", "_percent": "%", "_pj": "pJ", "_um2": "µm²", "_per_byte": "MAC/B"}


def test_every_field_of_a_row_is_a_column_and_shown_once() -> None:
    assert list(COLUMNS) == [each.name for each in fields(LayerRow)]
    shown = [name for names in GROUPS.values() for name in names]
    assert sorted(shown) == sorted(COLUMNS)
    assert list(GROUP_OF) == shown


def test_units_follow_from_names() -> None:
    for name, column in COLUMNS.items():
        expected = next((unit for end, unit in UNITS.items() if name.endswith(end)), "")
        assert column.unit.startswith(expected), name
        assert bool(column.unit) == bool(expected) or name == "attainable_macs_per_cycle", name


def test_labels_are_unique_within_a_group() -> None:
    labels = [(group, COLUMNS[name].label) for name, group in GROUP_OF.items()]
    assert len(set(labels)) == len(labels)


def test_a_source_is_part_of_the_explanation() -> None:
    assert COLUMNS["lane_utilization"].explanation.endswith("Source: Parashar et al., SCNN, ISCA 2017, section V")
    assert COLUMNS["name"].explanation == "module path of the layer in the network"
