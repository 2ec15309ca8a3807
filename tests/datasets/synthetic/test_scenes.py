"""Rendered ground truth against warping, analytic cases and a brute-force search along the line of sight."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from disparsity.datasets.synthetic.scenes import Scene, occlusion, random_scene, render
from disparsity.datasets.synthetic.surfaces import Surface

H, W = 48, 96


def smooth_texture(seed: int) -> np.ndarray:
    """Low frequencies only, wrapping around: bilinear sampling of it errs by less than the tolerance below."""
    angles = np.arange(64) * (2 * np.pi / 64)
    phase = np.random.default_rng(seed).uniform(0, 6, (3, 2))
    waves = [np.sin(angles[:, None] + p) * np.cos(2 * angles[None, :] + q) for p, q in phase]
    return (0.5 + 0.4 * np.stack(waves, axis=-1)).astype(np.float32)


def surface(offset: float, seed: int = 0, **changes: Any) -> Surface:
    values: dict[str, Any] = {
        "offset": offset,
        "slope_x": 0.0,
        "slope_y": 0.0,
        "centre": (W / 2, H / 2),
        "radii": None,
        "angle": 0.0,
        "power": 6.0,
        "texture": smooth_texture(seed),
        "texture_scale": 0.6,
        "texture_shift": (3.0, 5.0),
    }
    return Surface(**(values | changes))


def slanted() -> list[Surface]:
    return [
        surface(4.0, slope_x=0.02, slope_y=0.03),
        surface(10.3, 1, slope_x=-0.08, slope_y=0.05, centre=(40, 20), radii=(14, 9), angle=0.4, power=2.0),
        surface(12.0, 2, slope_x=0.1, centre=(70, 30), radii=(9, 12), power=1.0),
        surface(15.5, 3, centre=(55, 10), radii=(20, 2), angle=1.3),
    ]


def warp(scene: Scene) -> np.ndarray:
    """The right view sampled where the disparity says that the left pixels are."""
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    return cv2.remap(scene.right, x - scene.disparity, y, cv2.INTER_LINEAR)


def test_right_view_warped_by_the_disparity_is_the_left_view() -> None:
    scene = render(slanted(), H, W)
    occluded = occlusion(slanted(), scene.disparity)
    difference = np.abs(warp(scene) - scene.left).max(axis=-1)
    # leave out pixels whose right neighbourhood mixes two surfaces
    edge = np.zeros((H, W), bool)
    edge[:, 1:] |= np.abs(np.diff(scene.disparity, axis=1)) > 0.5
    near = cv2.dilate((edge | occluded).astype(np.uint8), np.ones((1, 9))) > 0
    assert near.mean() < 0.5
    assert difference[~near].max() < 0.02
    assert np.median(difference[occluded]) > 0.05
    worse = Scene(left=scene.left, right=scene.right, disparity=scene.disparity + 1)
    assert np.abs(warp(worse) - worse.left).max(axis=-1)[~near].mean() > 5 * difference[~near].mean()


def test_integer_plane_is_an_exact_shift() -> None:
    plane = [surface(7.0)]
    scene = render(plane, H, W)
    occluded = occlusion(plane, scene.disparity)
    assert bool((scene.disparity == 7).all())
    np.testing.assert_allclose(scene.right[:, : W - 7], scene.left[:, 7:], atol=1e-5)
    assert bool(occluded[:, :7].all())
    assert not occluded[:, 7:].any()


def test_occlusion_beside_a_slab_is_as_wide_as_the_disparity_step() -> None:
    slab = surface(12.0, 1, centre=(60.0, 24.0), radii=(10.0, 1000.0))
    scene = render([surface(4.0), slab], H, W)
    row = occlusion([surface(4.0), slab], scene.disparity)[24]
    left_edge = int(np.flatnonzero(scene.disparity[24] == 12)[0])
    assert bool(row[:4].all())
    assert np.flatnonzero(row[4:]).tolist() == list(range(left_edge - 8 - 4, left_edge - 4))


def brute_force_hidden(surfaces: list[Surface], scene: Scene, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Densely sampled surface points of one row: what is hidden, and what lies too close to an edge to say."""
    fine = np.arange(-W, 3 * W, 0.01, dtype=np.float32)
    y = np.full_like(fine, row)
    hidden, unsure = np.zeros(W, bool), np.zeros(W, bool)
    right = np.arange(W) - scene.disparity[row]
    for item in surfaces:
        disparity = item.offset + item.slope_x * fine + item.slope_y * row
        inside = item.covers(fine, y)
        for x in range(W):
            close = np.abs(fine - disparity - right[x]) < 0.02
            nearer = inside & (disparity > scene.disparity[row, x] + 0.05)
            hidden[x] |= bool((close & nearer).any())
            about = np.abs(fine - disparity - right[x]) < 0.1
            unsure[x] |= bool((about & nearer).any() and (about & ~inside).any())
    return hidden | (right < 0), unsure


@pytest.mark.parametrize("row", [10, 20, 30])
def test_occlusion_equals_a_brute_force_depth_test(row: int) -> None:
    surfaces = slanted()
    scene = render(surfaces, H, W)
    hidden, unsure = brute_force_hidden(surfaces, scene, row)
    assert unsure.sum() < 12
    assert np.array_equal(occlusion(surfaces, scene.disparity)[row][~unsure], hidden[~unsure])
    assert hidden.any()
    assert not hidden.all()


def test_nearest_surface_wins_whatever_the_order() -> None:
    surfaces = slanted()
    first, second = render(surfaces, H, W), render(surfaces[::-1], H, W)
    assert np.array_equal(first.disparity, second.disparity)
    assert np.array_equal(first.left, second.left)
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    stack = [np.where(item.covers(x, y), item.offset + item.slope_x * x + item.slope_y * y, 0) for item in surfaces]
    np.testing.assert_allclose(first.disparity, np.max(stack, axis=0), rtol=1e-5)


@pytest.mark.parametrize("maximum", [8.0, 48.0, 160.0])
def test_disparity_is_positive_and_below_the_maximum(maximum: float) -> None:
    for seed in range(25):
        scene = random_scene(np.random.default_rng(seed), H, W, maximum)
        assert scene.disparity.min() > 0
        assert scene.disparity.max() < maximum
        for view in (scene.left, scene.right):
            assert view.dtype == np.float32
            assert view.min() >= 0
            assert view.max() <= 1
