"""The smooth-L1 loss by hand."""

from __future__ import annotations

import pytest
import torch

from disparsity.stereo.losses import smooth_l1


def test_by_hand_over_valid_pixels_only() -> None:
    truth = torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])
    coarse = torch.tensor([[[1.5, 5.0, 3.0, 99.0]]])  # 0.125, 2.5, 0, masked
    fine = torch.tensor([[[1.0, 2.0, 1.0, 7.0]]])  # 0, 0, 1.5, masked
    valid = torch.tensor([[[True, True, True, False]]])
    loss = smooth_l1([coarse, fine], truth, valid, (0.5, 2.0))
    assert float(loss) == pytest.approx(0.5 * 2.625 / 3 + 2.0 * 1.5 / 3)


def test_masked_pixels_get_no_gradient_and_an_empty_mask_gives_zero() -> None:
    disparity = torch.tensor([[[5.0, 5.0]]], requires_grad=True)
    truth = torch.zeros(1, 1, 2)
    smooth_l1([disparity], truth, torch.tensor([[[True, False]]]), (1.0,)).backward()
    assert disparity.grad is not None
    assert disparity.grad.tolist() == [[[1.0, 0.0]]]
    assert float(smooth_l1([disparity.detach()], truth, torch.zeros(1, 1, 2, dtype=torch.bool), (1.0,))) == 0.0


def test_one_weight_per_map() -> None:
    with pytest.raises(ValueError, match="shorter"):
        smooth_l1([torch.zeros(1, 1, 1)] * 2, torch.zeros(1, 1, 1), torch.ones(1, 1, 1, dtype=torch.bool), (1.0,))


def test_a_network_that_leaves_out_coarse_maps_keeps_the_weights_of_the_fine_ones() -> None:
    truth, valid = torch.zeros(1, 1, 1), torch.ones(1, 1, 1, dtype=torch.bool)
    maps = [torch.full((1, 1, 1), 1.5), torch.full((1, 1, 1), 2.5)]  # 1 and 2 beyond the quadratic part
    assert float(smooth_l1(maps, truth, valid, (0.3, 0.5, 0.7))) == pytest.approx(0.5 * 1.0 + 0.7 * 2.0)
    assert float(smooth_l1(maps[1:], truth, valid, (0.3, 0.5, 0.7))) == pytest.approx(0.7 * 2.0)
