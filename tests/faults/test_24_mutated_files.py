"""Row 24: every parser under mutated files: a value or our own error, in time and in little memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from campaign.fuzzing import block
from campaign.targets import TARGETS

BLOCKS = 50
"""Of 2,000 inputs each."""


@pytest.mark.soak
@pytest.mark.parametrize("name", TARGETS)
def test_no_input_is_a_fault(tmp_path: Path, name: str) -> None:
    found = [block(name, number, tmp_path) for number in range(max(1, round(BLOCKS * TARGETS[name].share)))]
    assert [fault for tally in found for fault in tally.faults] == []
    assert all(tally.accepted + tally.refused == tally.inputs > 0 for tally in found)
