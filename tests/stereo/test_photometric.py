"""The photometric loss: lowest at the true disparity, gradients by finite differences, occlusions by the mirror."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from disparsity.datasets.synthetic import SyntheticDataset, SyntheticSettings
from disparsity.stereo.photometric import disparities_of_both, photometric_error, photometric_loss, visible_in_both


def textured(height: int, width: int, seed: int = 0) -> Tensor:
    """Smooth noise ``[1, 3, H, W]`` in 0..1, float64."""
    noise = torch.rand(1, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.avg_pool2d(noise, 3, 1, 1)


def test_a_shifted_view_is_explained_without_error() -> None:
    wide = textured(12, 30)
    left, right = wide[..., :24], wide[..., 4:28]
    # right(x) = left(x + 4), so that left(x) = right(x - 4)
    error = photometric_error(left, right, torch.full((1, 12, 24), 4.0, dtype=torch.float64))
    assert float(error[..., 6:].abs().max()) < 1e-9
    wrong = photometric_error(left, right, torch.full((1, 12, 24), 3.0, dtype=torch.float64))
    assert float(wrong[..., 6:].mean()) > 0.01


def test_it_is_lowest_at_the_true_disparity_of_a_scene() -> None:
    sample = SyntheticDataset(SyntheticSettings(pairs=1, height=64, width=96, seed=3, max_disparity=16.0))[0]
    left, right, truth = sample.left[None], sample.right[None], sample.disparity[None]
    visible = sample.valid[None]
    shifts = (-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0)
    losses = {shift: float(photometric_loss([truth + shift], left, right, visible, (1.0,))) for shift in shifts}
    assert min(losses, key=losses.__getitem__) == 0.0
    assert losses[-3.0] > losses[-1.0] > losses[0.0] < losses[1.0] < losses[3.0]


def test_gradients_match_finite_differences() -> None:
    left, right = textured(5, 7), textured(5, 7, seed=1)
    disparity = 1.3 + 0.4 * torch.rand(1, 5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    visible = torch.ones(1, 5, 7, dtype=torch.bool)
    visible[:, :, :3] = False

    def loss(values: Tensor) -> Tensor:
        return photometric_loss([values], left, right, visible, (1.0,))

    assert torch.autograd.gradcheck(loss, disparity.requires_grad_(), eps=1e-6, atol=1e-6)


def test_weights_maps_and_hidden_pixels() -> None:
    left, right = textured(6, 10).float(), textured(6, 10, seed=1).float()
    maps = [torch.full((1, 6, 10), value) for value in (1.0, 2.0)]
    visible = torch.zeros(1, 6, 10, dtype=torch.bool)
    assert float(photometric_loss(maps, left, right, visible, (0.5, 1.0))) == 0.0
    visible[0, 2, 5] = True
    errors = [float(photometric_error(left, right, disparity)[0, 2, 5]) for disparity in maps]
    assert float(photometric_loss(maps, left, right, visible, (0.5, 1.0))) == pytest.approx(0.5 * errors[0] + errors[1])
    assert float(photometric_loss(maps[1:], left, right, visible, (0.5, 1.0))) == pytest.approx(errors[1])


def test_what_only_the_left_view_sees_is_hidden() -> None:
    # a box of disparity 4 before a background of 0: it hides 4 columns to its left in the right view
    left = torch.zeros(1, 3, 20)
    left[..., 10:15] = 4.0
    right = torch.zeros(1, 3, 20)
    right[..., 6:11] = 4.0
    seen = visible_in_both(left, right)[0, 1]
    assert seen.tolist() == [not 6 <= column < 10 for column in range(20)]
    beyond = visible_in_both(torch.full((1, 3, 20), 2.0), torch.full((1, 3, 20), 2.0))[0, 1]
    assert beyond.tolist() == [column >= 2 for column in range(20)]


def test_the_mirror_gives_the_right_views_disparity() -> None:
    wide = textured(4, 12)
    left, right = wide[..., :9], wide[..., 2:11]

    def brightest(first: Tensor, second: Tensor) -> Tensor:
        """An estimator that knows which of its views is which: the first one's red, minus the second one's green."""
        return first[:, 0] - second[:, 1]

    both = disparities_of_both(brightest, left, right)
    assert torch.equal(both[0], (left[:, 0] - right[:, 1]).float())
    assert torch.equal(both[1], (right[:, 0] - left[:, 1]).float())
