"""Schedules: equal ratios, exact ends, events inside the phase."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disparsity.pruning.schedules import (
    CYCLES,
    SCHEDULES,
    cubic,
    cyclic,
    density_after,
    event_steps,
    log_density,
    one_shot,
)


def test_log_density_removes_the_same_share_at_every_event() -> None:
    values = [log_density(event / 7, 1.0, 0.03) for event in range(8)]
    ratios = [after / before for before, after in itertools.pairwise(values)]
    assert ratios == pytest.approx([0.03 ** (1 / 7)] * 7, rel=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("end", [0.5, 0.03, 0.015, 0.001])
def test_last_event_reaches_the_final_density_exactly(name: str, end: float) -> None:
    assert SCHEDULES[name](1.0, 1.0, end) == end


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "cyclic"])
def test_density_never_grows(name: str) -> None:
    values = [SCHEDULES[name](event / 20, 1.0, 0.02) for event in range(1, 21)]
    assert values == sorted(values, reverse=True)
    assert all(0.02 <= value <= 1.0 for value in values)


def test_cubic_by_hand_and_one_shot() -> None:
    assert cubic(0.5, 1.0, 0.2) == pytest.approx(0.2 + 0.8 / 8)
    assert cubic(0.0, 1.0, 0.2) == 1.0
    assert one_shot(0.01, 1.0, 0.2) == 0.2


def test_every_cycle_reaches_the_end_and_starts_lower() -> None:
    values = [cyclic(event / 12, 1.0, 0.008) for event in range(13)]
    assert values[0] == 1.0
    assert [values[4], values[8], values[12]] == pytest.approx([0.008] * CYCLES)
    # the cycles fall from 1, 0.2 and 0.04; after a quarter of a cycle a quarter of the way in logarithms
    tops = [top * (0.008 / top) ** 0.25 for top in (1.0, 0.2, 0.04)]
    assert [values[1], values[5], values[9]] == pytest.approx(tops)


def test_warm_up_moves_the_first_interval() -> None:
    assert event_steps(100, 4, 1.0, 0.2) == (40, 60, 80, 100)
    assert event_steps(100, 3, 0.6, 0.0) == event_steps(100, 3, 0.6)


def test_events_are_even_and_start_after_one_interval() -> None:
    assert event_steps(100, 4, 1.0) == (25, 50, 75, 100)
    assert event_steps(100, 3, 0.6) == (20, 40, 60)
    assert event_steps(0, 3, 1.0) == (0, 0, 0)


@given(st.integers(0, 500), st.integers(1, 60), st.floats(0.01, 1.0))
def test_events_are_ordered_and_inside_the_phase(steps: int, events: int, share: float) -> None:
    at = event_steps(steps, events, share)
    assert len(at) == events
    assert list(at) == sorted(at)
    assert all(0 <= step <= steps for step in at)
    assert at[-1] == round(share * steps)


def test_the_first_event_goes_straight_to_its_density_and_the_last_to_the_end() -> None:
    densities = [density_after(event, 5, "log_density", 0.3, 0.03) for event in range(1, 6)]
    assert densities[0] == pytest.approx(0.3)
    assert densities[-1] == 0.03
    ratios = [after / before for before, after in itertools.pairwise(densities)]
    assert ratios == pytest.approx([ratios[0]] * 4)


def test_without_a_first_density_the_schedule_starts_dense() -> None:
    assert density_after(1, 4, "log_density", 1.0, 0.0625) == pytest.approx(0.5)
    assert density_after(1, 1, "log_density", 0.5, 0.1) == 0.1
