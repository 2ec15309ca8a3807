"""Row 23: one run killed and resumed again and again ends with the hashes of an unbroken one, and nothing grows."""

from __future__ import annotations

from pathlib import Path

import pytest
from campaign.cycles import cycles, stops_in_one_process


@pytest.mark.parametrize("wanted", [6, pytest.param(200, marks=pytest.mark.soak)])
def test_killed_and_resumed(tmp_path: Path, wanted: int) -> None:
    found = cycles(wanted, tmp_path)
    assert found["same_hashes"]
    assert found["cycles"] >= wanted // 2
    assert found["disk_bytes"]["last"] <= 2.2 * found["disk_bytes"]["first"]
    assert found["descriptors"]["last"] <= found["descriptors"]["first"] + 2


def test_stops_in_one_process_leak_nothing(tmp_path: Path) -> None:
    found = stops_in_one_process(15, tmp_path)
    assert found["stops"] == 15
    assert found["descriptors"]["last"] == found["descriptors"]["first"]
    assert found["resident_mb"]["last"] <= found["resident_mb"]["first"] + 20
