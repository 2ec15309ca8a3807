"""The benchmark of growth: the fit against power laws, and its smallest points."""

from __future__ import annotations

import pytest
from growing import samples
from growth import exponent


@pytest.mark.parametrize("power", [0.0, 1.0, 2.5])
def test_the_fit_finds_a_power_law(power: float) -> None:
    sizes = [10.0, 100.0, 1000.0, 5000.0]
    assert exponent(sizes, [3 * size**power for size in sizes]) == pytest.approx(power, abs=1e-9)


def test_one_point_has_no_exponent() -> None:
    assert exponent([10.0], [1.0]) is None
    assert exponent([10.0, 100.0], [0.0, 1.0]) is None


@pytest.mark.parametrize("kind", ["drawing", "caching", "pass"])
def test_a_point_is_measured(kind: str) -> None:
    found = samples.measure(kind, 100)
    assert found["size"] == 100
    assert found["processor_s"] > 0
