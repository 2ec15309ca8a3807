"""DispNetC: its table of layers by hand, six maps, the refusal of impossible settings."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.dispnetc import DispNetC, DispNetCSettings

TINY: dict[str, Any] = {"width": 2, "max_disparity": 16}


def tiny(**changes: Any) -> DispNetC:
    torch.manual_seed(0)
    return DispNetC(DispNetCSettings(**(TINY | changes)), "dispnetc").eval()


def test_parameters_follow_from_the_published_table() -> None:
    def conv(kernel: int, inputs: int, outputs: int) -> int:
        return kernel * kernel * inputs * outputs + outputs

    # Mayer et al. 2016, tables 2 and 3: kernel, channels in, channels out; 41 correlations beside 64 features
    encoder = [(7, 3, 64), (5, 64, 128), (1, 128, 64), (5, 41 + 64, 256), (3, 256, 256), (3, 256, 512), (3, 512, 512)]
    encoder += [(3, 512, 512), (3, 512, 512), (3, 512, 1024), (3, 1024, 1024), (3, 1024, 1)]
    decoder = []
    for inputs, skip, outputs in (
        (1024, 512, 512),
        (512, 512, 256),
        (256, 256, 128),
        (128, 128, 64),
        (64, 64, 32),
    ):
        decoder += [(4, inputs, outputs), (4, 1, 1), (3, outputs + 1 + skip, outputs), (3, outputs, 1)]
    expected = sum(conv(*row) for row in encoder + decoder)
    with torch.device("meta"):
        network = build_network("dispnetc")
    assert sum(parameter.numel() for parameter in network.parameters()) == expected
    assert 38e6 < expected < 42.5e6


@torch.no_grad()
def test_six_maps_of_full_size_scaled_from_the_heads() -> None:
    network = tiny(disparity_scale=8.0)
    heads = [network.predict, *(step.predict for step in network.decoder)]
    for number, head in enumerate(heads):
        head.weight.zero_()
        head.bias.fill_(number / 2)
    maps = network(*torch.rand(2, 2, 3, 70, 130))
    assert len(maps) == len(network.spec.loss_weights) == 6
    for number, disparity in enumerate(maps):
        torch.testing.assert_close(disparity, torch.full((2, 70, 130), 4.0 * number))


@torch.no_grad()
def test_each_map_is_made_at_twice_the_resolution_of_the_one_before() -> None:
    network, sizes = tiny(), []
    for head in (network.predict, *(step.predict for step in network.decoder)):
        head.register_forward_hook(lambda _layer, _inputs, output: sizes.append(tuple(output.shape)))
    network(*torch.rand(2, 1, 3, 64, 128))
    assert sizes == [(1, 1, 2**level, 2 ** (level + 1)) for level in range(6)]


@torch.no_grad()
def test_the_right_view_acts_through_the_correlation_only() -> None:
    network = tiny()
    network.encoder.levels[0][0].weight[:, 2:] = 0.0  # after the two redirected channels come the correlations
    left, right, other = torch.rand(3, 1, 3, 64, 64)
    assert all(torch.equal(a, b) for a, b in zip(network(left, right), network(left, other), strict=True))
    assert not torch.equal(network(left, right)[-1], network(other, right)[-1])


@pytest.mark.parametrize("changes", [{"width": 3}, {"width": 0}, {"max_disparity": 0}, {"max_disparity": 10}])
def test_impossible_settings_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"DispNetC .*found"):
        DispNetCSettings(**(TINY | changes))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_disparity_scale_is_refused(scale: float) -> None:
    with pytest.raises(InputError, match="disparity_scale"):
        DispNetCSettings(**(TINY | {"disparity_scale": scale}))
