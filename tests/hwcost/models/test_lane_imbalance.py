from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disparsity.hwcost.models.lane_imbalance import lane_load

loads = st.lists(st.integers(0, 50), min_size=1, max_size=40)


def test_two_groups_by_hand() -> None:
    load = lane_load([8, 2, 6, 4, 1], 10, 2)
    assert (load.dense_steps, load.steps) == (30, 8 + 6 + 1)
    assert load.utilization == pytest.approx(21 / 30)
    assert lane_load([8, 2, 6, 4, 1], 10, 2, balanced=True).steps == 8 + 4 + 1


@given(loads, st.integers(1, 20))
def test_balancing_never_hurts_and_no_lane_works_more_than_always(values: list[int], lanes: int) -> None:
    plain, balanced = (lane_load(values, 50, lanes, balanced=balanced) for balanced in (False, True))
    assert balanced.steps <= plain.steps <= plain.dense_steps
    assert plain.steps >= math.ceil(sum(values) / lanes)
    assert 0 <= plain.utilization <= balanced.utilization <= 1


def test_one_lane_is_always_busy_and_nothing_takes_no_time() -> None:
    assert lane_load([3, 0, 9], 10, 1).utilization == 1.0
    assert (lane_load([0, 0], 10, 2).steps, lane_load([0, 0], 10, 2).utilization) == (0, 0.0)


@pytest.mark.parametrize(("length", "density", "golden"), [(864, 0.1, 0.85), (27, 0.1, 0.49), (864, 0.5, 0.94)])
def test_golden_utilization_of_equally_dense_filters(length: int, density: float, golden: float) -> None:
    values = np.random.default_rng(0).binomial(length, density, 16 * 400).tolist()
    assert lane_load(values, length, 16).utilization == pytest.approx(golden, abs=0.025)
