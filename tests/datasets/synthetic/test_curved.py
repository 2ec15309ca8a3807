"""Curved and pierced surfaces: the projection inverted, the window, the bulge by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from disparsity.datasets.synthetic.curved import CurvedSurface
from disparsity.datasets.synthetic.surfaces import Surface

H, W = 60, 90


def surface(**changes: Any) -> CurvedSurface:
    values: dict[str, Any] = {
        "offset": 12.0,
        "slope_x": 0.0,
        "slope_y": 0.0,
        "centre": (45.0, 30.0),
        "radii": (20.0, 10.0),
        "angle": 0.0,
        "power": 2.0,
        "texture": np.zeros((16, 16, 3), np.float32),
        "texture_scale": 1.0,
        "texture_shift": (0.0, 0.0),
        "bulge": 2.0,
        "reach": (20.0, 10.0),
    }
    return CurvedSurface(**(values | changes))


def grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    return x, y


def test_the_bulge_by_hand():
    x, y = np.float32([45, 65, 45, 55]), np.float32([30, 30, 40, 35])
    np.testing.assert_allclose(surface().disparity(x, y), [14, 12, 12, 12 + 2 * (1 - 0.25 - 0.25)], atol=1e-5)


@pytest.mark.parametrize("bulge", [-2.0, -1e-6, 0.0, 2.0])
@pytest.mark.parametrize("angle", [0.0, 0.7, 2.5])
def test_left_column_inverts_the_projection_inside_the_outline(bulge, angle):
    item = surface(bulge=bulge, angle=angle, slope_x=0.2, slope_y=-0.15)
    x, y = grid()
    inside = item.covers(x, y)
    assert inside.sum() > 500
    back = item.left_column(x - item.disparity(x, y), y)
    assert np.abs(back - x)[inside].max() < 1e-3


def test_without_a_bulge_it_is_a_plane():
    flat = surface(bulge=0.0, slope_x=0.1, slope_y=0.2, angle=0.3)
    shared = {name: getattr(flat, name) for name in Surface.__dataclass_fields__}
    plane = Surface(**shared)
    x, y = grid()
    np.testing.assert_allclose(flat.disparity(x, y), plane.disparity(x, y), atol=1e-5)
    np.testing.assert_allclose(flat.left_column(x, y), plane.left_column(x, y), atol=1e-4)
    assert np.array_equal(flat.covers(x, y), plane.covers(x, y))


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("angle", [0.0, 0.6, 1.9])
def test_nothing_is_covered_outside_the_window(right, angle):
    for bulge in (-2.0, 2.0):
        item = surface(bulge=bulge, angle=angle, slope_x=-0.2, slope_y=0.2)
        x, y = grid()
        covered = item.covers(item.left_column(x, y) if right else x, y)
        assert covered.any()
        rows, columns = item.window(H, W, right=right)
        covered[rows, columns] = False
        assert not covered.any()


def test_a_fence_has_bars_and_gaps_by_hand():
    fence = surface(bulge=0.0, power=6.0, holes=((4.0, 0.5), (1000.0, 0.0)))
    columns = np.arange(45, 57, dtype=np.float32)
    solid = fence.covers(columns, np.full(12, 30.0, np.float32))
    assert solid.tolist() == [True, True, False, False] * 3
    lattice = surface(bulge=0.0, power=6.0, holes=((4.0, 0.5), (4.0, 0.25)))
    down = np.arange(30, 38, dtype=np.float32)
    assert lattice.covers(np.full(8, 47.0, np.float32), down).tolist() == [True, False, False, False] * 2
