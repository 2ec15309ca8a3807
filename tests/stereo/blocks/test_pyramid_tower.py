"""Spatial pyramid pooling: window means, small maps, and the order of what is gathered."""

from __future__ import annotations

import torch

from disparsity.stereo.blocks.pyramid_tower import PyramidTower, WindowPool


def test_windows_are_means_and_a_smaller_map_is_one_window() -> None:
    features = torch.arange(24.0).view(1, 1, 4, 6)
    assert WindowPool(2)(features).flatten().tolist() == [3.5, 5.5, 7.5, 15.5, 17.5, 19.5]
    assert WindowPool(64)(features).flatten().tolist() == [11.5]
    assert WindowPool(4)(features).flatten().tolist() == [features[..., :4].mean()]


def test_the_head_sees_both_stages_and_then_the_pooled_views_small_windows_first() -> None:
    torch.manual_seed(0)
    tower, seen = PyramidTower(2, 1, 8, align_corners=False).eval(), []
    tower.lastconv.register_forward_pre_hook(lambda _m, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        for number in (1, 2, 3, 4):
            branch = tower.get_submodule(f"branch{number}")
            branch[1][1].weight.zero_()
            branch[1][1].bias.fill_(float(number))
        assert tower(torch.rand(1, 3, 64, 64)).shape == (1, 2, 16, 16)
    (gathered,) = seen
    assert gathered.shape == (1, 20, 16, 16)
    assert gathered[0, 12:, 0, 0].tolist() == [4, 4, 3, 3, 2, 2, 1, 1]
