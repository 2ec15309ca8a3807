"""Soft-argmin against a loop in plain Python."""

from __future__ import annotations

import math

import pytest
import torch

from disparsity.stereo.regression import SoftArgmin


def test_equals_the_loop() -> None:
    torch.manual_seed(0)
    cost = 3 * torch.randn(2, 5, 2, 3)
    index = SoftArgmin()(cost)
    assert index.shape == (2, 2, 3)
    for b in range(2):
        for y in range(2):
            for x in range(3):
                powers = [math.exp(-float(cost[b, d, y, x])) for d in range(5)]
                expected = sum(d * power for d, power in enumerate(powers)) / sum(powers)
                assert float(index[b, y, x]) == pytest.approx(expected, rel=1e-5)


def test_lowest_cost_wins_and_equal_costs_average() -> None:
    cost = torch.full((1, 9, 1, 2), 50.0)
    cost[0, 6, 0, 0] = -50.0
    assert SoftArgmin()(cost)[0, 0].tolist() == pytest.approx([6.0, 4.0])


def test_stays_in_float32_and_finite() -> None:
    cost = torch.tensor([1e4, -1e4, 1e4]).view(1, 3, 1, 1).bfloat16()
    index = SoftArgmin()(cost)
    assert index.dtype == torch.float32
    assert float(index) == pytest.approx(1.0)
