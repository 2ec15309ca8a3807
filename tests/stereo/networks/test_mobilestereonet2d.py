"""MobileStereoNet-2D: published sizes and operations, what training adds, the refusal of impossible settings."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from disparsity.base.errors import InputError
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.mobilestereonet2d import MobileStereoNet2d, MobileStereoNet2dSettings

TINY: dict[str, Any] = {"width": 2, "blocks": 1, "hourglass_width": 4, "max_disparity": 16}


def tiny(**changes: Any) -> MobileStereoNet2d:
    torch.manual_seed(0)
    return MobileStereoNet2d(MobileStereoNet2dSettings(**(TINY | changes)), "mobilestereonet_2d").eval()


def test_published_parameters_and_operations() -> None:
    # 2.353 M parameters, 118 GMAC: counted on the published code, in eval mode
    with torch.device("meta"):
        network, view = build_network("mobilestereonet_2d").eval(), torch.zeros(1, 3, 384, 1248)
    assert sum(parameter.numel() for parameter in network.parameters()) == pytest.approx(2.353e6, abs=500)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(view, view)
    assert counter.get_total_flops() / 2e9 == pytest.approx(118, rel=5e-3)


@torch.no_grad()
def test_training_adds_the_maps_of_the_earlier_stages() -> None:
    network = tiny()
    left, right = torch.rand(2, 1, 3, 32, 48)
    (alone,) = network(left, right)
    network.training = True  # the heads run, BatchNorm stays in eval mode
    *early, last = network(left, right)
    assert len(early) == 3
    assert torch.equal(last, alone)
    assert len(network.spec.loss_weights) == 4
    assert not network.spec.compresses("early_heads.0.2")
    assert network.spec.compresses("head.2")


@torch.no_grad()
def test_the_disparity_is_the_mean_over_the_upsampled_planes() -> None:
    network = tiny()
    network.head[2].weight.zero_()
    (disparity,) = network(*torch.rand(2, 1, 3, 32, 48))
    torch.testing.assert_close(disparity, torch.full_like(disparity, 7.5))  # all of 0..15 alike


@torch.no_grad()
def test_the_matcher_reduces_the_interlaced_channels_in_three_steps() -> None:
    matcher = tiny().volume.matcher.eval()
    pair = torch.rand(1, 1, 64, 5, 6)
    values = pair
    for step in range(3):
        conv, norm = matcher.reduce[3 * step], matcher.reduce[3 * step + 1]
        values = F.relu(norm(conv(values)))
        assert values.shape[2] == 64 // (8, 32, 64)[step]
    expected = F.relu(matcher.score(values[:, :, 0]))
    torch.testing.assert_close(matcher(pair), expected)
    assert expected.shape == (1, 1, 5, 6)


@pytest.mark.parametrize(
    "changes",
    [{"width": 3}, {"width": 0}, {"blocks": 0}, {"hourglass_width": 0}, {"max_disparity": 0}, {"max_disparity": 18}],
)
def test_impossible_settings_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"MobileStereoNet-2D .*found"):
        MobileStereoNet2dSettings(**(TINY | changes))
