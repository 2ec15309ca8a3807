"""A machine: defaults, what follows from its settings, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from disparsity.base.errors import InputError
from disparsity.hwcost.models.machine import Machine, MachineSection
from disparsity.hwcost.profiles.technology import load_profile

PROFILE = load_profile()


def test_lanes_are_the_columns_unless_they_are_set() -> None:
    assert Machine(profile=PROFILE, array=(4, 8)).parallel_filters == 8
    assert Machine(profile=PROFILE, array=(4, 8), lanes=3).parallel_filters == 3
    assert Machine(profile=PROFILE, array=(4, 8)).multipliers == 32


def test_a_clock_gives_time_and_no_clock_gives_none() -> None:
    machine = Machine(profile=PROFILE, clock_mhz=400)
    assert machine.milliseconds(800_000) == 2.0
    assert machine.milliseconds(None) is None
    assert Machine(profile=PROFILE).milliseconds(800_000) is None


def test_the_settings_are_what_a_report_prints() -> None:
    assert Machine(profile=PROFILE).section() == MachineSection(
        array=(16, 16), dataflow="ws", buffer_bytes=131_072, dram_bytes_per_cycle=16.0, lanes=16, clock_mhz=None
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"buffer_bytes": 0}, "the buffer is out of range; found 0"),
        ({"dram_bytes_per_cycle": -1.0}, "the DRAM bandwidth is out of range"),
        ({"dram_bytes_per_cycle": float("nan")}, "the DRAM bandwidth is out of range; found nan"),
        ({"lanes": 0}, "the number of lanes is out of range"),
        ({"clock_mhz": float("inf")}, "the clock is out of range"),
        ({"dataflow": "rs"}, "unknown dataflow 'rs'"),
        ({"array": (0, 4)}, "the array has no processing element; found 0x4"),
    ],
)
def test_a_machine_that_cannot_work_is_refused(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Machine(profile=PROFILE, **setting)
