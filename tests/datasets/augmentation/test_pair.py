"""The field's augmentation: each strength by itself, geometry true, decided by the generator alone."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.datasets.augmentation.geometry import mirror, shift_rows
from disparsity.datasets.augmentation.pair import augment, draw_zoom
from disparsity.datasets.augmentation.settings import StrongAugmentationSettings
from disparsity.datasets.batches.stream import TrainingStream
from disparsity.datasets.sample import Sample
from disparsity.datasets.synthetic import SyntheticDataset, SyntheticSettings

NAMES = ("left", "right", "disparity", "valid")
STILL: dict[str, Any] = {item.name: 0.0 for item in fields(StrongAugmentationSettings) if item.name != "name"} | {
    "patch_px": 50
}


@pytest.fixture
def sample() -> Sample:
    return SyntheticDataset(SyntheticSettings(pairs=1, height=32, width=48, max_disparity=10.0))[0]


def changed(sample: Sample, seed: int = 0, **settings: float) -> Sample:
    return augment(sample, StrongAugmentationSettings(**(STILL | settings)), np.random.default_rng(seed))


def test_zero_strengths_change_nothing(sample):
    assert all(torch.equal(getattr(changed(sample), name), getattr(sample, name)) for name in NAMES)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"flip": 1.0}, lambda pair: [getattr(pair, name).flip(-2) for name in NAMES]),
        ({"mirror": 1.0}, lambda pair: [getattr(mirror(pair), name) for name in NAMES]),
    ],
)
def test_turned_pairs(sample, settings, expected: Callable[[Sample], list[torch.Tensor]]):
    after = changed(sample, **settings)
    assert all(torch.equal(getattr(after, name), value) for name, value in zip(NAMES, expected(sample), strict=True))


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "hue"])
def test_colours_change_both_views_alike_unless_asymmetric(sample, name):
    twins = Sample(sample.left, sample.left, sample.disparity, sample.valid, "a")
    alike, apart = changed(twins, **{name: 0.4}), changed(twins, **{name: 0.4}, asymmetric=1.0)
    assert torch.equal(alike.left, alike.right)
    assert not torch.allclose(alike.left, sample.left, atol=1e-3)
    assert not torch.allclose(apart.left, apart.right, atol=1e-3)
    assert torch.equal(apart.disparity, sample.disparity)


def test_hue_and_saturation_against_the_standard_library(sample):
    shift = np.random.default_rng(3)
    shift.random(2)
    drawn = 1.0 * shift.uniform(-1, 1, 4)[3]
    after = changed(sample, 3, hue=1.0).left[:, 5, 7].tolist()
    hue, saturation, value = colorsys.rgb_to_hsv(*sample.left[:, 5, 7].tolist())
    expected = colorsys.hsv_to_rgb((hue + drawn / (2 * np.pi)) % 1, saturation, value)
    assert after == pytest.approx(expected, abs=1e-3)


def test_only_the_right_view_moves_up_or_down(sample):
    after = changed(sample, 5, shift_y_px=2.0)
    assert torch.equal(after.left, sample.left)
    generator = np.random.default_rng(5)
    generator.random(2)
    generator.uniform(-1, 1, 8)
    generator.random()
    assert torch.equal(after.right, shift_rows(sample.right, 2.0 * generator.uniform(-1, 1)))


def test_patches_of_the_mean_colour_hide_part_of_the_right_view(sample):
    shares = []
    for seed in range(20):
        after = changed(sample, seed, occlusion=1.0, patch_px=12)
        hidden = (after.right != sample.right).any(0)
        mean = sample.right.mean((1, 2))[:, None]
        torch.testing.assert_close(after.right[:, hidden], mean.expand(-1, int(hidden.sum())))
        assert torch.equal(after.left, sample.left)
        shares.append(float(hidden.float().mean()))
    assert 0 < max(shares) <= 3 * 12 * 12 / (32 * 48)


def test_the_same_generator_state_gives_the_same_change_in_range(sample):
    for seed in range(6):
        first, again = (augment(sample, StrongAugmentationSettings(), np.random.default_rng(seed)) for _ in range(2))
        assert all(torch.equal(getattr(first, name), getattr(again, name)) for name in NAMES)
        assert min(first.left.min(), first.right.min()) >= 0
        assert max(first.left.max(), first.right.max()) <= 1


def test_zoom_is_a_power_of_two_within_its_range():
    zooms = [draw_zoom(StrongAugmentationSettings(zoom=0.5), np.random.default_rng(seed)) for seed in range(50)]
    assert 2**-0.5 <= min(zooms) < 0.8
    assert 1.2 < max(zooms) <= 2**0.5


def stream(window: tuple[int, int] | None, **settings: float) -> TrainingStream:
    scenes = SyntheticDataset(SyntheticSettings(pairs=2, height=32, width=64, max_disparity=10.0))
    return TrainingStream([scenes], [1.0], 2, window, 0, augmentation=StrongAugmentationSettings(**(STILL | settings)))


def test_a_stream_zooms_to_its_window_and_depends_on_the_step_only():
    zoomed = stream((16, 32), zoom=1.0, brightness=0.3)
    walk = [zoomed.next_batch(step) for step in range(5)]
    again = stream((16, 32), zoom=1.0, brightness=0.3).next_batch(4)
    assert all(batch.left.shape == (2, 3, 16, 32) for batch in walk)
    assert torch.equal(again.left, walk[4].left)
    assert torch.equal(again.disparity, walk[4].disparity)


def test_a_window_larger_than_the_pair_is_still_refused_and_zoom_needs_one():
    with pytest.raises(InputError, match="zoom needs random crops"):
        stream(None, zoom=0.3)
    assert stream(None).next_batch(0).left.shape == (2, 3, 32, 64)


@pytest.mark.parametrize(
    "settings", [{"flip": 1.5}, {"brightness": 1.0}, {"hue": 4.0}, {"patch_px": 0}, {"zoom": -1.0}]
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(InputError, match=f"^{next(iter(settings))}: out of range"):
        StrongAugmentationSettings(**settings)
