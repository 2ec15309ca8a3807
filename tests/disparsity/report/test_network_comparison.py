"""Comparison of networks as Markdown, from figures written down here."""

from __future__ import annotations

from dataclasses import fields

from disparsity.hwcost.models.comparison import ComparedNetwork, Comparison, ProfileRow
from disparsity.hwcost.models.machine import MachineSection
from disparsity.report.network_comparison import comparison_markdown

MACHINE = MachineSection(
    array=(16, 16), dataflow="ws", buffer_bytes=1 << 20, dram_bytes_per_cycle=1.0, lanes=16, clock_mhz=None
)


def network(name: str) -> ComparedNetwork:
    figures = {each.name: 1000 for each in fields(ComparedNetwork)}
    return ComparedNetwork(**{**figures, "name": name, "utilization": 0.123456, "mac_area_um2": None})


def compared(changes: dict[str, bool | None]) -> Comparison:
    rows = (
        ProfileRow(profile="a45", figure="mac_energy_pj", values={"one": 2.0, "two": 1.0}, cheapest="two"),
        ProfileRow(profile="b40", figure="mac_energy_pj", values={"one": 1.0, "two": 2.0}, cheapest="one"),
        ProfileRow(profile="a45", figure="mac_area_um2", values={"one": None, "two": 2.0}, cheapest=None),
    )
    return Comparison(
        input_size=(8, 16), profile="a45", array=(16, 16), dataflow="ws", machine=MACHINE,
        networks=(network("one"), network("two")), profiles=rows, conclusion_changes=changes,
    )  # fmt: skip


def test_both_tables_and_what_is_not_known() -> None:
    lines = comparison_markdown(compared({})).splitlines()
    assert lines[0] == "Input 8x16, 16x16 array, ws, buffer 1,048,576 B, DRAM 1 B per cycle, 16 lanes, profile a45."
    assert "|  | one | two |" in lines
    assert "| parameters | 1,000 | 1,000 |" in lines
    assert "| utilization | 0.1235 | 0.1235 |" in lines
    assert "| a45 | mac_area_um2 | not known | 2 | not known |" in lines


def test_whether_the_profiles_agree() -> None:
    text = comparison_markdown(compared({"mac_energy_pj": True, "mac_area_um2": None}))
    assert "- mac_energy_pj: the conclusion changes between profiles (a45: two, b40: one)" in text
    assert text.endswith("- mac_area_um2: the conclusion rests on one profile at most")
    assert "is the same under every profile" in comparison_markdown(compared({"mac_energy_pj": False}))
