"""The group-wise correlation volume against a loop over pixels, groups and channels."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.stereo.volumes.groupwise import GroupwiseVolume


def naive(left: Tensor, right: Tensor, planes: int, groups: int) -> Tensor:
    batch, channels, height, width = left.shape
    share = channels // groups
    volume = torch.zeros(batch, groups, planes, height, width)
    for i in range(planes):
        for x in range(i, width):
            for c in range(channels):
                volume[:, c // share, i, :, x] += left[:, c, :, x] * right[:, c, :, x - i] / share
    return volume


@pytest.mark.parametrize(("planes", "groups"), [(1, 1), (4, 2), (9, 3), (5, 6)])  # 9 is beyond the width
def test_equals_the_loop(planes: int, groups: int) -> None:
    torch.manual_seed(0)
    left, right = torch.randn(2, 6, 3, 7), torch.randn(2, 6, 3, 7)
    torch.testing.assert_close(GroupwiseVolume(planes, groups)(left, right), naive(left, right, planes, groups))


def test_channels_that_cannot_be_split_are_refused() -> None:
    with pytest.raises(InputError, match=r"equal groups; found 7; expected a multiple of 3"):
        GroupwiseVolume(2, 3)(torch.zeros(1, 7, 2, 4), torch.zeros(1, 7, 2, 4))


def test_a_shifted_copy_correlates_with_itself_at_its_disparity() -> None:
    torch.manual_seed(1)
    right = torch.randn(1, 4, 3, 12).sign()
    volume = GroupwiseVolume(6, 2)(torch.roll(right, 3, dims=-1), right)
    assert bool((volume[:, :, 3, :, 6:] == 1).all())
    assert float(volume[:, :, :3, :, 6:].mean()) < 0.5


def test_runs_on_the_meta_device() -> None:
    volume = GroupwiseVolume(48, 40)(*torch.empty(2, 1, 320, 136, 240, device="meta"))
    assert volume.shape == (1, 40, 48, 136, 240)
