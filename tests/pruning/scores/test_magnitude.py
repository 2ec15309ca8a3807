"""Sizes and noise: in the weights' shapes, in float32, noise by seed."""

from __future__ import annotations

import torch
from torch import nn

from disparsity.base.layers import trained_weight
from disparsity.pruning.scores.magnitude import magnitude_scores, random_scores


def test_magnitude_and_random_scores_have_the_weights_shape() -> None:
    layers = {"a": nn.Conv3d(2, 3, (1, 2, 3)), "b": nn.Linear(4, 2)}
    assert torch.equal(magnitude_scores(layers)["a"], trained_weight(layers["a"]).abs())
    first, second = (random_scores(layers, torch.Generator().manual_seed(3)) for _ in range(2))
    other = random_scores(layers, torch.Generator().manual_seed(4))
    for name, layer in layers.items():
        assert first[name].shape == layer.weight.shape
        assert torch.equal(first[name], second[name])
        assert not torch.equal(first[name], other[name])
        assert bool((first[name] >= 0).all())


def test_sizes_are_float32() -> None:
    layer = nn.Linear(1, 1).half()
    nn.init.constant_(layer.weight, -2.0)
    size = magnitude_scores({"a": layer})["a"]
    assert (size.dtype, size.tolist()) == (torch.float32, [[2.0]])
