"""Augmentation: geometry stays true, colours follow the formula, the generator decides everything."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from disparsity.datasets.augmentation.settings import MildAugmentationSettings
from disparsity.datasets.augmentation.simple import jitter
from disparsity.datasets.sample import Sample

STILL = {"gain": 0.0, "gamma": 0.0, "channel_gain": 0.0, "asymmetry": 0.0, "flip": 0.0}


@pytest.fixture
def sample() -> Sample:
    generator = torch.Generator().manual_seed(0)
    left, right = torch.rand(2, 3, 5, 7, generator=generator)
    disparity = torch.rand(5, 7, generator=generator)
    return Sample(left, right, disparity, disparity > 0.3, "a")


def changed(sample: Sample, seed: int = 0, **settings: float) -> Sample:
    return jitter(sample, MildAugmentationSettings(**{**STILL, **settings}), np.random.default_rng(seed))


def test_zero_strength_changes_nothing(sample):
    after = changed(sample)
    for name in ("left", "right", "disparity", "valid"):
        assert torch.allclose(getattr(after, name), getattr(sample, name))


def test_a_flip_turns_everything_upside_down(sample):
    after = changed(sample, flip=1.0)
    for name in ("left", "right", "disparity", "valid"):
        expected = np.flip(getattr(sample, name).numpy(), -2)
        assert np.allclose(getattr(after, name).numpy(), expected)


def test_asymmetry_scales_the_right_view_only(sample):
    after = changed(sample, asymmetry=0.2)
    assert torch.allclose(after.left, sample.left)
    factors = (after.right / sample.right)[after.right < 1]
    assert torch.allclose(factors, factors[0].expand_as(factors), rtol=1e-4)
    assert 0.8 <= factors[0] <= 1.2


def test_symmetric_changes_are_the_same_function_of_both_views(sample):
    after = changed(Sample(sample.left, sample.left, sample.disparity, sample.valid, "a"), gain=0.3, gamma=0.2)
    assert torch.equal(after.left, after.right)
    assert not torch.allclose(after.left, sample.left)


def test_colours_stay_in_range_and_ground_truth_stays(sample):
    for seed in range(20):
        after = jitter(sample, MildAugmentationSettings(flip=0.0), np.random.default_rng(seed))
        assert after.left.min() >= 0
        assert max(after.left.max(), after.right.max()) <= 1
        assert torch.equal(after.disparity, sample.disparity)


def test_the_same_generator_state_gives_the_same_change(sample):
    first, again, other = changed(sample, 1, gain=0.3), changed(sample, 1, gain=0.3), changed(sample, 2, gain=0.3)
    assert torch.equal(first.left, again.left)
    assert not torch.equal(first.left, other.left)
