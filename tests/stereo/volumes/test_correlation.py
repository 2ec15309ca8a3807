"""The correlation volume against a loop over pixels."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from disparsity.stereo.volumes.correlation import CorrelationVolume


def naive(left: Tensor, right: Tensor, planes: int) -> Tensor:
    batch, channels, height, width = left.shape
    volume = torch.zeros(batch, planes, height, width)
    for i in range(planes):
        for x in range(i, width):
            for c in range(channels):
                volume[:, i, :, x] += left[:, c, :, x] * right[:, c, :, x - i] / channels
    return volume


@pytest.mark.parametrize("planes", [1, 5, 9])
def test_equals_the_loop_also_beyond_the_width(planes: int) -> None:
    torch.manual_seed(0)
    left, right = torch.randn(2, 3, 4, 7), torch.randn(2, 3, 4, 7)
    torch.testing.assert_close(CorrelationVolume(planes)(left, right), naive(left, right, planes))


def test_unit_features_of_a_shifted_copy_peak_at_their_disparity() -> None:
    torch.manual_seed(1)
    right = torch.nn.functional.normalize(torch.randn(1, 8, 3, 20), dim=1)
    volume = CorrelationVolume(6)(torch.roll(right, 3, dims=-1), right)
    assert bool((volume[..., 6:].argmax(dim=1) == 3).all())
    torch.testing.assert_close(volume[:, 3, :, 3:], torch.full((1, 3, 17), 1 / 8))


def test_both_views_get_gradients() -> None:
    left, right = torch.rand(1, 2, 3, 6, requires_grad=True), torch.rand(1, 2, 3, 6, requires_grad=True)
    CorrelationVolume(4)(left, right).sum().backward()
    assert left.grad is not None
    assert right.grad is not None
    assert bool((left.grad != 0).all())
    assert bool((right.grad != 0).all())
