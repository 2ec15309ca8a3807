"""Soft-argmin against a loop in plain Python."""

from __future__ import annotations

import math

import pytest
import torch

from disparsity.stereo.regression import SoftArgmin, UpsampledSoftArgmax


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


def test_the_full_size_softmax_takes_similarities_not_costs() -> None:
    similarity = torch.full((1, 1, 4, 2, 3), -50.0)
    similarity[0, 0, 2] = 50.0
    like = torch.zeros(1, 3, 2, 3)
    # no up-sampling in space, and aligned corners put the four planes at 0, 3, 6 and 9 of ten
    disparity = UpsampledSoftArgmax(10, align_corners=True)(similarity, like)
    assert disparity.shape == (1, 2, 3)
    torch.testing.assert_close(disparity, torch.full((1, 2, 3), 6.0))
    # half-pixel centres put plane 2 of 4 between the disparities 2 * 2 and 2 * 2 + 1 of eight
    disparity = UpsampledSoftArgmax(8, align_corners=False)(similarity, like)
    torch.testing.assert_close(disparity, torch.full((1, 2, 3), 4.5))


def test_up_sampling_equals_three_linear_interpolations_and_stays_in_float32() -> None:
    torch.manual_seed(0)
    similarity, like = torch.randn(1, 1, 3, 2, 4).bfloat16(), torch.zeros(1, 3, 8, 16)
    volume = similarity.float()[0, 0]
    for axis, size in enumerate((12, 8, 16)):
        volume = _stretch(volume, axis, size)
    powers = volume.double().exp()
    expected = sum(d * powers[d] for d in range(12)) / powers.sum(0)
    disparity = UpsampledSoftArgmax(12, align_corners=False)(similarity, like)
    assert disparity.dtype == torch.float32
    torch.testing.assert_close(disparity[0].double(), expected, rtol=1e-5, atol=1e-5)


def _stretch(volume: torch.Tensor, axis: int, size: int) -> torch.Tensor:
    """Linear interpolation at half-pixel centres along one axis, the ends held."""
    old = volume.shape[axis]
    places = ((torch.arange(size) + 0.5) * old / size - 0.5).clamp(0, old - 1)
    below = places.floor().long()
    above = (below + 1).clamp(max=old - 1)
    share = (places - below).view([-1 if i == axis else 1 for i in range(3)])
    return volume.index_select(axis, below) * (1 - share) + volume.index_select(axis, above) * share
