from __future__ import annotations

import pytest

from disparsity.hwcost.models.roofline import roofline


def test_both_sides_of_the_ridge() -> None:
    # 256 multipliers and 16 bytes per cycle: the ridge is at 16 products per byte.
    memory = roofline(8000, 1000, 40, multipliers=256, bytes_per_cycle=16)
    assert (memory.intensity_macs_per_byte, memory.attainable_macs_per_cycle) == (8.0, 128.0)
    assert (memory.bound, memory.cycles) == ("memory", 63)
    compute = roofline(64_000, 1000, 260, multipliers=256, bytes_per_cycle=16)
    assert (compute.bound, compute.cycles, compute.attainable_macs_per_cycle) == ("compute", 260, 256.0)


def test_a_slow_array_is_bound_by_itself_below_the_ridge_too() -> None:
    point = roofline(8000, 1000, 900, multipliers=256, bytes_per_cycle=16)
    assert (point.bound, point.cycles) == ("compute", 900)
    assert point.attainable_macs_per_cycle == pytest.approx(128)
