"""The L1 volume against a loop over pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from disparsity.stereo.volumes.l1 import L1Volume


def naive(left: Tensor, right: Tensor, planes: int) -> Tensor:
    batch, channels, height, width = left.shape
    volume = torch.zeros(batch, planes, height, width)
    for i in range(planes):
        for x in range(width):
            for c in range(channels):
                seen = right[:, c, :, x - i] if x >= i else torch.zeros(batch, height)
                volume[:, i, :, x] += (left[:, c, :, x] - seen).abs()
    return volume


def test_equals_the_loop_also_beyond_the_width() -> None:
    torch.manual_seed(0)
    left, right = torch.randn(2, 3, 4, 7), torch.randn(2, 3, 4, 7)
    torch.testing.assert_close(L1Volume(9)(left, right), naive(left, right, 9))


def test_columns_without_a_match_hold_the_absolute_left_features() -> None:
    left, right = torch.full((1, 2, 1, 4), -3.0), torch.full((1, 2, 1, 4), 5.0)
    volume = L1Volume(3)(left, right)
    assert volume[0, :, 0].tolist() == [[16.0] * 4, [6.0] + [16.0] * 3, [6.0] * 2 + [16.0] * 2]


def test_gradients_reach_both_views() -> None:
    views = torch.randn(2, 1, 2, 3, 6, requires_grad=True)
    L1Volume(3)(*views).sum().backward()
    assert views.grad is not None
    assert bool((views.grad.abs().amax(dim=(1, 2, 3, 4)) > 0).all())
