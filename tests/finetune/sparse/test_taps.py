"""Taps against the dense convolution's own definition."""

import numpy as np
import pytest
import torch
from torch import nn

from disparsity.finetune.sparse.taps import Geometry, Taps


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        (nn.Conv2d(1, 1, 3, padding=1), (1, 7, 9)),
        (nn.Conv2d(1, 1, 5, stride=2, padding=2), (1, 8, 9)),
        (nn.Conv2d(1, 1, 3, padding=4, dilation=4), (1, 11, 10)),
        (nn.Conv3d(1, 1, 3, stride=(1, 2, 3), padding=(1, 0, 2)), (4, 8, 9)),
    ],
)
def test_the_output_size_is_the_layers(layer: nn.Conv2d | nn.Conv3d, size: tuple[int, int, int]) -> None:
    inputs = torch.zeros(1, 1, *size) if isinstance(layer, nn.Conv3d) else torch.zeros(1, 1, *size[1:])
    assert Geometry.of(layer).output_size(size)[-2:] == tuple(layer(inputs).shape[-2:])
    assert Geometry.of(layer).output_size(size)[0] == (layer(inputs).shape[2] if isinstance(layer, nn.Conv3d) else 1)


def test_each_tap_reads_what_its_weight_multiplies() -> None:
    layer = nn.Conv2d(2, 3, 5, stride=2, padding=2, dilation=1)
    geometry = Geometry.of(layer)
    mask = torch.rand(layer.weight.shape, generator=torch.Generator().manual_seed(0)) < 0.3
    taps = Taps.of(mask, geometry)
    inputs = torch.arange(2 * 8 * 6, dtype=torch.float32).view(1, 2, 1, 8, 6) + 1
    planes = geometry.phases(inputs)
    padded = torch.nn.functional.pad(inputs, (2, 2, 2, 2))
    for number, index in enumerate(taps.index):
        output, channel, row, column = np.unravel_index(index, mask.shape)
        assert taps.output[number] == output
        z, y, x = taps.shift[number]
        for oy, ox in ((0, 0), (1, 2), (3, 1)):
            expected = padded[0, channel, 0, 2 * oy + row, 2 * ox + column]
            assert planes[0, taps.plane[number], z, y + oy, x + ox] == expected


def test_starts_delimit_the_groups() -> None:
    mask = torch.zeros(4, 2, 1, 3, dtype=torch.bool)
    mask[1, 0, 0, 1] = mask[1, 1, 0, 2] = mask[3, 0, 0, 0] = True
    taps = Taps.of(mask, Geometry.of(nn.Conv2d(2, 4, (1, 3))))
    assert taps.row_starts.tolist() == [0, 0, 2, 2, 3]
    assert taps.plane_starts.tolist() == [0, 2, 3]
    assert taps.plane[taps.by_plane].tolist() == [0, 0, 1]


def test_an_empty_mask_has_no_taps() -> None:
    layer = nn.Conv2d(2, 4, 3)
    taps = Taps.of(torch.zeros(layer.weight.shape, dtype=torch.bool), Geometry.of(layer))
    assert taps.index.size == 0
    assert taps.row_starts.tolist() == [0] * 5
