"""The difference volume against a loop over pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from disparsity.stereo.volumes.difference import DifferenceVolume


def naive(left: Tensor, right: Tensor, planes: int) -> Tensor:
    batch, channels, height, width = left.shape
    volume = torch.zeros(batch, channels, planes, height, width)
    for i in range(planes):
        for x in range(i, width):
            volume[:, :, i, :, x] = left[..., x] - right[..., x - i]
    return volume


def test_equals_the_loop() -> None:
    torch.manual_seed(0)
    left, right = torch.randn(2, 3, 4, 7), torch.randn(2, 3, 4, 7)
    assert torch.equal(DifferenceVolume(5)(left, right), naive(left, right, 5))


def test_columns_without_a_match_are_zero_even_beyond_the_width() -> None:
    left, right = torch.ones(1, 1, 2, 3), torch.zeros(1, 1, 2, 3)
    volume = DifferenceVolume(5)(left, right)
    assert volume.shape == (1, 1, 5, 2, 3)
    for i in range(5):
        assert bool((volume[:, :, i, :, :i] == 0).all())
        assert bool((volume[:, :, i, :, i:] == 1).all())


def test_a_shifted_copy_cancels_at_its_disparity_only() -> None:
    torch.manual_seed(1)
    right = torch.randn(1, 2, 3, 10)
    left = torch.roll(right, 3, dims=-1)
    volume = DifferenceVolume(6)(left, right)
    size = [float(volume[:, :, i, :, 6:].abs().max()) for i in range(6)]
    assert size[3] == 0.0
    assert all(value > 0 for i, value in enumerate(size) if i != 3)
