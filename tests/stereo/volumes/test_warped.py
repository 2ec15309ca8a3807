"""The residual volume against interpolation by hand, and the border that published weights depend on."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from disparsity.stereo.volumes.warped import WarpedResidualVolume, warp


def naive_warp(right: Tensor, disparity: Tensor) -> Tensor:
    """Linear interpolation between the two columns around ``x - d``; a column outside is zero."""
    batch, _, height, width = right.shape
    result = torch.zeros_like(right)
    for b in range(batch):
        for y in range(height):
            for x in range(width):
                position = x - float(disparity[b, y, x])
                low = math.floor(position)
                for column, share in ((low, low + 1 - position), (low + 1, position - low)):
                    if 0 <= column < width:
                        result[b, :, y, x] += share * right[b, :, y, column]
    return result


def test_warp_is_linear_interpolation_with_zeros_outside() -> None:
    torch.manual_seed(0)
    right, disparity = torch.randn(2, 3, 4, 9), 14 * torch.rand(2, 4, 9) - 3
    torch.testing.assert_close(warp(right, disparity), naive_warp(right, disparity), rtol=1e-4, atol=1e-4)


def test_a_whole_disparity_fetches_exactly_one_column() -> None:
    # With align_corners=False the same grid falls between pixels: up to half a pixel off at the borders.
    right = torch.arange(12.0).view(1, 1, 1, 12).expand(1, 1, 3, 12)
    fetched = warp(right, torch.full((1, 3, 12), 2.0))
    torch.testing.assert_close(fetched[0, 0, 1], torch.tensor([0.0, 0.0, *range(10)]), rtol=0, atol=1e-4)


def test_planes_lie_mirrored_around_the_estimate() -> None:
    torch.manual_seed(1)
    left, right = torch.randn(2, 1, 2, 3, 8)
    estimate = 3 * torch.rand(1, 3, 8)
    volume = WarpedResidualVolume(2)(left, right, estimate)
    assert volume.shape == (1, 5, 3, 8)
    for plane, residual in enumerate((-2, -1, 0, 1, 2)):
        expected = (left - naive_warp(right, estimate - residual)).abs().sum(1)
        torch.testing.assert_close(volume[:, plane], expected, rtol=1e-4, atol=1e-4)


def test_gradients_reach_features_and_estimate_and_one_pixel_is_a_map() -> None:
    left, right = torch.randn(2, 1, 2, 3, 8, requires_grad=True)
    estimate = torch.rand(1, 3, 8, requires_grad=True)
    gradients = torch.autograd.grad(WarpedResidualVolume(1)(left, right, estimate).sum(), (left, right, estimate))
    assert all(bool(gradient.abs().sum() > 0) for gradient in gradients)
    assert bool(torch.isfinite(warp(torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1))).all())
