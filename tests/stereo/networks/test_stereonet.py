"""StereoNet: shapes for any input size, the refusal of impossible settings, the forward pass step by step."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from disparsity.base.errors import InputError
from disparsity.stereo.networks.stereonet import ResidualBlock, StereoNet, StereoNetSettings, with_disparity_scaled

TINY: dict[str, Any] = {"halvings": 2, "width": 4, "refinement_width": 3, "max_disparity": 16}


def tiny(**changes: Any) -> StereoNet:
    torch.manual_seed(0)
    return StereoNet(StereoNetSettings(**(TINY | changes)), "stereonet").eval()


@pytest.mark.parametrize("halvings", [2, 3, 4])
@pytest.mark.parametrize("size", [(32, 64), (33, 65), (47, 50), (16, 17)])
def test_maps_have_the_size_of_the_input(halvings: int, size: tuple[int, int]) -> None:
    left, right = torch.rand(2, 2, 3, *size)
    with torch.no_grad():
        maps = tiny(halvings=halvings)(left, right)
    assert [disparity.shape for disparity in maps] == [(2, *size)] * 2
    assert all(bool(torch.isfinite(disparity).all()) and bool((disparity >= 0).all()) for disparity in maps)


def test_padding_lies_at_the_top_and_on_the_right() -> None:
    network = tiny()
    left, right = torch.rand(2, 1, 3, 30, 61)
    # mid grey is what the preprocessing maps to zero
    padded = [F.pad(view, (0, 3, 2, 0), value=0.5) for view in (left, right)]
    with torch.no_grad():
        for small, large in zip(network(left, right), network(*padded), strict=True):
            assert torch.equal(small, large[:, 2:, :61])


def test_coarse_map_is_bounded_by_the_planes_and_scaled_by_the_width_ratio() -> None:
    network = tiny()
    with torch.no_grad():
        network.cost_volume_filter[4].weight.zero_()
        coarse, _ = network(*torch.rand(2, 1, 3, 32, 64))
    torch.testing.assert_close(coarse, torch.full_like(coarse, 4 * 1.5))  # four equal planes 0..3 at a quarter


def test_refinement_sees_pixels_or_scaled_disparity_and_never_goes_below_zero() -> None:
    network = tiny(disparity_scale=8.0)
    with torch.no_grad():
        network.refine[7].weight.zero_()
        network.refine[7].bias.fill_(-0.25)
        coarse, fine = network(*torch.rand(2, 1, 3, 32, 64))
    torch.testing.assert_close(fine, F.relu(coarse - 2.0))


def test_disparity_beside_colours_is_wide_where_8_bits_are_coarser_than_half_a_pixel() -> None:
    assert tiny().spec.wide_inputs == ()
    assert tiny(max_disparity=192).spec.wide_inputs == ("refine.0",)


def test_another_scale_is_the_same_function_to_the_bit() -> None:
    network = tiny().eval()
    scaled = with_disparity_scaled(network, 64.0)
    assert scaled.spec.settings["disparity_scale"] == 64.0
    assert not scaled.training
    views = torch.rand(2, 1, 3, 32, 64)
    for ours, theirs in zip(network(*views), scaled(*views), strict=True):
        assert torch.equal(ours, theirs)
    assert float(scaled.refine[0].weight[:, 0].detach().abs().max()) > 32 * float(
        network.refine[0].weight[:, 0].detach().abs().max()
    )


def test_both_views_share_one_tower_and_one_batch_normalisation() -> None:
    network, calls = tiny(), []
    network.downsampling[0].register_forward_hook(lambda _layer, inputs, _output: calls.append(inputs[0].shape))
    with torch.no_grad():
        network(*torch.rand(2, 3, 3, 32, 64))
    assert calls == [(6, 3, 32, 64)]


def test_residual_block_adds_its_input_before_the_last_activation() -> None:
    block = ResidualBlock(2, dilation=4).eval()
    with torch.no_grad():
        block.conv2d_2.weight.zero_()
        block.conv2d_2.bias.zero_()
        features = torch.randn(1, 2, 9, 9)
        torch.testing.assert_close(block(features), F.leaky_relu(features, 0.2))
    assert (block.conv2d_1.dilation, block.conv2d_1.padding) == ((4, 4), (4, 4))


@pytest.mark.parametrize(
    "changes",
    [
        {"halvings": 1},
        {"halvings": 5},
        {"width": 0},
        {"refinement_width": -1},
        {"max_disparity": 0},
        {"max_disparity": -16},
        {"max_disparity": 18},
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"StereoNet .*found"):
        StereoNetSettings(**(TINY | changes))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_disparity_scale_is_refused(scale: float) -> None:
    with pytest.raises(InputError, match="disparity_scale"):
        StereoNetSettings(**(TINY | {"disparity_scale": scale}))
