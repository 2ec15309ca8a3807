"""Rendering in windows, every pixel once, against rendering every surface over the whole view."""

from __future__ import annotations

import numpy as np
import pytest

from disparsity.datasets.synthetic import rendering
from disparsity.datasets.synthetic.rendering import render_view
from disparsity.datasets.synthetic.surfaces import Surface, random_background, random_shape

H, W = 40, 70


def whole_views(surfaces: list[Surface], right: bool) -> tuple[np.ndarray, np.ndarray]:
    """A depth test over full frames."""
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    nearest, image = np.full((H, W), -np.inf, np.float32), np.zeros((H, W, 3), np.float32)
    for surface in surfaces:
        x_left = surface.left_column(x, y) if right else x
        disparity = surface.disparity(x_left, y)
        front = surface.covers(x_left, y) & (disparity > nearest)
        nearest = np.where(front, disparity, nearest)
        image = np.where(front[..., None], surface.colour(x_left, y), image)
    return image, nearest


def surfaces(seed: int, background: bool = True) -> list[Surface]:
    rng = np.random.default_rng(seed)
    shapes = [random_shape(rng, H, W, 30.0) for _ in range(6)]
    return [random_background(rng, H, W, 30.0), *shapes] if background else shapes


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("background", [False, True])
def test_the_same_bits_as_rendering_whole_views(right, background):
    for seed in range(12):
        given = surfaces(seed, background)
        for found, expected in zip(render_view(given, H, W, right=right), whole_views(given, right), strict=True):
            assert np.array_equal(found, expected)


def test_colours_looked_up_in_parts_are_the_same(monkeypatch):
    image, _ = render_view(surfaces(1), H, W, right=True)
    monkeypatch.setattr(rendering, "_MOST_PLACES", 37)
    assert np.array_equal(render_view(surfaces(1), H, W, right=True)[0], image)
