"""Hard scenes: true geometry, disparity in range, and what makes them hard is there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from disparsity.datasets.synthetic.hard import hard_photometry, hard_surfaces
from disparsity.datasets.synthetic.scenes import hard_scene, occlusion, render
from disparsity.datasets.synthetic.surfaces import random_background, random_shape
from disparsity.datasets.synthetic.textures import hard_texture

H, W = 64, 128


def test_right_view_warped_by_the_disparity_is_the_left_view():
    errors, wrong = [], []
    for seed in range(6):
        surfaces = hard_surfaces(np.random.default_rng(seed), H, W, 32.0)
        scene = render(surfaces, H, W)
        y, x = np.mgrid[0:H, 0:W].astype(np.float32)
        edge = np.zeros((H, W), bool)
        edge[:, 1:] |= np.abs(np.diff(scene.disparity, axis=1)) > 0.5
        near = cv2.dilate((edge | occlusion(surfaces, scene.disparity)).astype(np.uint8), np.ones((1, 9))) > 0
        for shift, found in ((0.0, errors), (0.5, wrong)):
            warped = cv2.remap(scene.right, x - scene.disparity + shift, y, cv2.INTER_LINEAR)
            found.append(np.abs(warped - scene.left).max(axis=-1)[~near].mean())
    assert np.mean(errors) < 0.02
    assert np.mean(wrong) > 2 * np.mean(errors)


@pytest.mark.parametrize("maximum", [8.0, 48.0, 192.0])
def test_disparity_is_positive_and_below_the_maximum(maximum):
    for seed in range(8):
        scene = hard_scene(np.random.default_rng(seed), H, W, maximum)
        assert scene.disparity.min() > 0
        assert scene.disparity.max() < maximum
        for view in (scene.left, scene.right):
            assert view.dtype == np.float32
            assert view.min() >= 0
            assert view.max() <= 1


def test_no_line_of_sight_meets_a_surface_twice():
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    for seed in range(4):
        for item in hard_surfaces(np.random.default_rng(seed), H, W, 48.0):
            change = np.diff(item.disparity(x, y), axis=1)
            inside = item.covers(x, y)[:, 1:] & item.covers(x, y)[:, :-1]
            assert np.abs(change[inside]).max(initial=0) < 1


def test_curved_thin_and_pierced_shapes_occur():
    items = [item for seed in range(10) for item in hard_surfaces(np.random.default_rng(seed), 128, 256, 64.0)]
    shapes = [item for item in items if item.radii is not None]
    assert 120 <= len(shapes) <= 360
    assert np.mean([item.holes is not None for item in shapes]) > 0.05
    assert np.mean([item.radii is not None and item.radii[1] < 0.2 * item.radii[0] for item in shapes]) > 0.15
    assert max(abs(item.bulge) for item in shapes) > 2


def test_more_is_hidden_than_in_plain_scenes():
    def share(surfaces):
        return occlusion(surfaces, render(surfaces, H, W).disparity).mean()

    hard, plain = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        hard.append(share(hard_surfaces(rng, H, W, 32.0)))
        plain.append(share([random_background(rng, H, W, 32.0), *(random_shape(rng, H, W, 32.0) for _ in range(8))]))
    assert np.mean(hard) > np.mean(plain)


def test_textures_are_blank_repetitive_or_strong():
    textures = [hard_texture(np.random.default_rng(seed), 128) for seed in range(60)]
    blank = [texture.std(axis=(0, 1)).max() < 0.05 for texture in textures]
    repeating = [np.array_equal(texture, np.roll(texture, 32, 0)) for texture in textures]
    assert 0.15 < np.mean(blank) < 0.4
    assert 0.05 < np.mean(repeating) < 0.4
    assert max(texture.std() for texture in textures) > 0.25


def test_views_are_lit_and_blurred_differently():
    image = np.random.default_rng(0).random((H, W, 3), np.float32)
    rng = np.random.default_rng(1)
    views = [hard_photometry(rng, image) for _ in range(20)]
    assert np.ptp([view.mean() for view in views]) > 0.1
    sharpness = [np.abs(np.diff(view, axis=1)).mean() for view in views]
    assert max(sharpness) > 2 * min(sharpness)
