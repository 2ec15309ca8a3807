"""The concatenation volume against a loop over pixels."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from disparsity.stereo.volumes.concatenation import ConcatenationVolume


def naive(left: Tensor, right: Tensor, planes: int) -> Tensor:
    batch, channels, height, width = left.shape
    volume = torch.zeros(batch, 2 * channels, planes, height, width)
    for i in range(planes):
        for x in range(i, width):
            for c in range(channels):
                volume[:, c, i, :, x] = left[:, c, :, x]
                volume[:, channels + c, i, :, x] = right[:, c, :, x - i]
    return volume


@pytest.mark.parametrize("planes", [1, 5, 9])  # 9 is beyond the width
def test_equals_the_loop(planes: int) -> None:
    torch.manual_seed(0)
    left, right = torch.randn(2, 3, 4, 7), torch.randn(2, 3, 4, 7)
    assert torch.equal(ConcatenationVolume(planes)(left, right), naive(left, right, planes))


def test_gradients_reach_both_views_as_often_as_a_column_is_used() -> None:
    left, right = torch.randn(1, 1, 1, 4, requires_grad=True), torch.randn(1, 1, 1, 4, requires_grad=True)
    ConcatenationVolume(3)(left, right).sum().backward()
    assert left.grad is not None
    assert right.grad is not None
    assert left.grad.flatten().tolist() == [1, 2, 3, 3]
    assert right.grad.flatten().tolist() == [3, 3, 2, 1]


def test_runs_on_the_meta_device() -> None:
    volume = ConcatenationVolume(48)(*torch.empty(2, 1, 32, 136, 240, device="meta"))
    assert volume.shape == (1, 64, 48, 136, 240)
