"""The interlaced volume against slices assigned in a loop, and its matcher against what it must be shown."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from disparsity.stereo.volumes.interlaced import Interlace, InterlacedVolume


class Matcher(nn.Module):
    """Has an edge effect, so that the width it is run on matters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(1, 1, (6, 3, 3), stride=(6, 1, 1), padding=(0, 1, 1))

    def forward(self, pair: Tensor) -> Tensor:
        return self.conv(pair).squeeze(2).relu()


def naive(left: Tensor, right: Tensor, planes: int, matcher: nn.Module) -> Tensor:
    batch, channels, height, width = left.shape
    volume = torch.zeros(batch, planes, height, width)
    for i in range(min(planes, width)):
        pair = torch.zeros(batch, 1, 2 * channels, height, width - i)
        for c in range(channels):
            for x in range(i, width):
                pair[:, 0, 2 * c, :, x - i] = left[:, c, :, x]
                pair[:, 0, 2 * c + 1, :, x - i] = right[:, c, :, x - i]
        volume[:, i, :, i:] = matcher(pair)[:, 0]
    return volume


@pytest.mark.parametrize("planes", [1, 4, 9])
def test_equals_the_loop_also_beyond_the_width(planes: int) -> None:
    torch.manual_seed(0)
    left, right, matcher = torch.randn(2, 3, 4, 7), torch.randn(2, 3, 4, 7), Matcher()
    with torch.no_grad():
        torch.testing.assert_close(InterlacedVolume(planes, matcher)(left, right), naive(left, right, planes, matcher))


def test_channels_alternate() -> None:
    left, right = torch.zeros(1, 2, 1, 5), torch.ones(1, 2, 1, 5)
    assert Interlace()(left, right, 2)[0, 0, :, 0, 0].tolist() == [0, 1, 0, 1]
    assert Interlace()(left, right, 2).shape == (1, 1, 4, 1, 3)
