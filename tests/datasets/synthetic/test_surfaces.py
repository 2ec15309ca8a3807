"""Slanted surfaces: projection and its inverse, outlines, textures that stick to the surface."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from disparsity.datasets.synthetic.surfaces import Surface, random_background, random_shape


def surface(**changes: Any) -> Surface:
    values: dict[str, Any] = {
        "offset": 8.0,
        "slope_x": 0.0,
        "slope_y": 0.0,
        "centre": (10.0, 20.0),
        "radii": None,
        "angle": 0.0,
        "power": 2.0,
        "texture": np.random.default_rng(0).random((16, 16, 3), np.float32),
        "texture_scale": 1.0,
        "texture_shift": (0.0, 0.0),
    }
    return Surface(**(values | changes))


def test_disparity_is_a_plane() -> None:
    plane = surface(slope_x=0.25, slope_y=-0.5)
    assert plane.disparity(np.float32([0, 4, 4]), np.float32([0, 0, 2])).tolist() == [8.0, 9.0, 8.0]


@pytest.mark.parametrize("slope_x", [-0.3, 0.0, 0.2])
def test_left_column_inverts_the_projection(slope_x: float) -> None:
    item = surface(slope_x=slope_x, slope_y=-0.1)
    x_right, y = np.float32([[0.0, 10.5, 90.0]]), np.float32([[0.0, 20.0, 47.0]])
    x_left = item.left_column(x_right, y)
    np.testing.assert_allclose(x_left - item.disparity(x_left, y), x_right, atol=1e-4)


def test_outlines_by_hand() -> None:
    x, y = np.float32([10, 13.9, 14.1, 10, 10, 13]), np.float32([20, 20, 20, 21.9, 22.1, 21.5])
    assert surface().covers(x, y).all()
    assert surface(radii=(4.0, 2.0)).covers(x, y).tolist() == [True, True, False, True, False, False]
    assert surface(radii=(4.0, 2.0), power=6.0).covers(x, y)[5]
    turned = surface(radii=(4.0, 2.0), angle=np.pi / 2)
    assert turned.covers(np.float32([10, 13.9]), np.float32([23.9, 20])).tolist() == [True, False]


def test_texture_is_bilinear_and_wraps_around() -> None:
    item = surface(centre=(0.0, 0.0))
    corner = item.texture[:2, :2].mean(axis=(0, 1))
    half = item.colour(np.float32([[0.5]]), np.float32([[0.5]]))[0, 0]
    np.testing.assert_allclose(half, corner, atol=1e-2)
    here = item.colour(np.float32([[3.0, 19.0, -13.0]]), np.float32([[5.0, 5.0, 21.0]]))[0]
    np.testing.assert_allclose(here, np.broadcast_to(item.texture[5, 3], (3, 3)), atol=1e-5)


def test_random_surfaces_vary_in_depth_slant_and_shape() -> None:
    rng = np.random.default_rng(0)
    shapes = [random_shape(rng, 48, 96, 48.0) for _ in range(200)]
    assert {item.power for item in shapes} == {1.0, 2.0, 6.0}
    assert any(item.radii is not None and item.radii[1] < 0.25 * item.radii[0] for item in shapes)
    assert np.ptp([item.slope_x for item in shapes]) > 0.1
    assert random_background(rng, 48, 96, 48.0).radii is None
