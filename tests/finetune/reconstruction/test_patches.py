"""Patches against torch's own unfold and against the layer itself."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.finetune.reconstruction.patches import output_at, patches, random_positions, supports

LAYERS: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "1d": (nn.Conv1d(3, 4, 3, stride=2, padding=1), (2, 3, 11)),
    "2d": (nn.Conv2d(3, 4, 3, padding=1), (2, 3, 7, 9)),
    "2d strided": (nn.Conv2d(3, 4, (5, 3), stride=(2, 3), padding=(2, 0)), (2, 3, 9, 10)),
    "2d dilated": (nn.Conv2d(2, 4, 3, padding=4, dilation=4), (1, 2, 9, 10)),
    "2d same": (nn.Conv2d(2, 4, (5, 3), padding="same", dilation=(1, 2)), (1, 2, 9, 10)),
    "2d reflect": (nn.Conv2d(2, 4, 3, padding=(1, 2), padding_mode="reflect", stride=2), (1, 2, 9, 10)),
    "2d replicate": (nn.Conv2d(2, 4, 3, padding=1, padding_mode="replicate"), (1, 2, 5, 6)),
    "2d circular": (nn.Conv2d(2, 4, 5, padding="same", padding_mode="circular"), (1, 2, 6, 7)),
    "3d": (nn.Conv3d(2, 3, 3, padding=1), (2, 2, 4, 5, 6)),
    "3d strided, dilated": (
        nn.Conv3d(2, 3, (1, 3, 2), stride=(1, 2, 1), padding=(0, 2, 1), dilation=2),
        (1, 2, 4, 7, 8),
    ),
}


def everywhere(output: Tensor) -> Tensor:
    sizes = (output.shape[0], *output.shape[2:])
    return torch.cartesian_prod(*[torch.arange(size) for size in sizes])


@pytest.mark.parametrize("kind", LAYERS)
def test_patches_times_weight_is_the_layers_output_at_every_position(kind: str) -> None:
    layer, shape = LAYERS[kind]
    inputs = torch.randn(shape)
    with torch.no_grad():
        output = layer(inputs)
        positions = everywhere(output)
        product = patches(layer, inputs, positions) @ layer.weight.flatten(1).T + layer.bias
    torch.testing.assert_close(product, output_at(output, positions), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["2d", "2d strided", "2d dilated"])
def test_patches_equal_unfold(kind: str) -> None:
    layer, shape = LAYERS[kind]
    assert isinstance(layer, nn.Conv2d)
    inputs = torch.randn(shape)
    columns = F.unfold(inputs, layer.kernel_size, layer.dilation, layer.padding, layer.stride)
    expected = columns.transpose(1, 2).flatten(0, 1)
    assert torch.equal(patches(layer, inputs, everywhere(layer(inputs))), expected)


def test_channels_last_inputs_give_the_same_patches() -> None:
    layer, shape = LAYERS["2d"]
    inputs = torch.randn(shape)
    positions = everywhere(layer(inputs))
    again = patches(layer, inputs.contiguous(memory_format=torch.channels_last), positions)
    assert torch.equal(again, patches(layer, inputs, positions))


def test_output_at_picks_batch_and_place() -> None:
    output = torch.arange(2 * 3 * 4 * 5.0).view(2, 3, 4, 5)
    positions = torch.tensor([[1, 2, 3], [0, 0, 4]])
    assert torch.equal(output_at(output, positions), torch.stack([output[1, :, 2, 3], output[0, :, 0, 4]]))


def test_random_positions_stay_inside_and_follow_the_seed() -> None:
    output = torch.zeros(2, 9, 3, 4, 5)
    first, second = (random_positions(output, 500, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, second)
    assert first.shape == (500, 4)
    assert first.min(dim=0).values.tolist() == [0, 0, 0, 0]
    assert first.max(dim=0).values.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("layer", "supported"),
    [
        (nn.Conv2d(2, 2, 3), True),
        (nn.Conv3d(2, 2, 3, dilation=2), True),
        (nn.Conv2d(2, 2, 3, groups=2), False),
        (nn.Conv2d(2, 2, 3, padding="same"), True),
        (nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"), True),
        (nn.ConvTranspose2d(2, 2, 3), False),
        (nn.Linear(2, 2), False),
    ],
)
def test_layers_that_can_be_lowered(layer: Any, supported: bool) -> None:
    assert supports(layer) is supported
