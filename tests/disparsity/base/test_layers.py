from __future__ import annotations

import pytest
from torch import nn

from disparsity.base.layers import channel_axis, quantizable_layers


@pytest.mark.parametrize(
    ("layer", "channels"),
    [
        (nn.Linear(3, 5), 5),
        (nn.Conv1d(3, 5, 1), 5),
        (nn.Conv2d(4, 6, 1, groups=2), 6),
        (nn.Conv3d(3, 5, 1), 5),
        (nn.ConvTranspose1d(3, 5, 1), 5),
        (nn.ConvTranspose2d(3, 5, 1), 5),
        (nn.ConvTranspose3d(4, 6, 1, groups=2), 3),
    ],
)
def test_channel_axis(layer: nn.Module, channels: int) -> None:
    assert layer.weight.shape[channel_axis(layer)] == channels
    assert list(quantizable_layers(nn.Sequential(layer, nn.BatchNorm2d(2), nn.ReLU()))) == ["0"]
