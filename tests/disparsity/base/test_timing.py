"""Timing in turns, on a clock of the test's own."""

from __future__ import annotations

import pytest

from disparsity.base.errors import InputError
from disparsity.base.timing import Timing, measure, summarise


def test_things_take_turns_and_the_warm_up_does_not_count() -> None:
    now, calls = [0.0], []

    def thing(name: str, first: float, later: float) -> None:
        now[0] += first if name not in calls else later
        calls.append(name)

    things = {"slow": lambda: thing("slow", 100.0, 0.004), "fast": lambda: thing("fast", 50.0, 0.001)}
    found = measure(things, runs=3, warm_up=1, clock=lambda: now[0])
    assert calls == ["slow", "fast"] * 4
    assert [found[name].median_ms for name in things] == pytest.approx([4.0, 1.0])
    assert found["slow"].runs == 3


def test_median_and_spread_by_hand() -> None:
    found = summarise([0.005, 0.001, 0.004, 0.002, 0.003])
    expected = Timing(median_ms=3.0, quartiles_ms=(2.0, 4.0), lowest_ms=1.0, runs=5)
    assert (found.median_ms, found.lowest_ms, found.runs) == (pytest.approx(expected.median_ms), pytest.approx(1.0), 5)
    assert found.quartiles_ms == pytest.approx(expected.quartiles_ms)


@pytest.mark.parametrize(("runs", "warm_up"), [(0, 1), (1, -1)])
def test_no_runs_are_refused(runs: int, warm_up: int) -> None:
    with pytest.raises(InputError, match="latency needs runs"):
        measure({}, runs, warm_up)
