"""Curved surfaces, with or without holes: spheres, cylinders, saddles, fences and lattices."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disparsity.datasets.synthetic.surfaces import Surface

Map = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class CurvedSurface(Surface):
    """A surface whose disparity is its plane plus ``bulge (1 - (u / reach_u)^2 - (v / reach_v)^2)``.

    Attributes:
        bulge: in pixels of disparity; small enough against `reach` that disparity changes by less than a pixel per
            pixel, else a line of sight of the right view would meet the surface twice.
        reach: in pixels, where the bulge has fallen to nothing along each of the surface's axes.
        holes: period in pixels and fraction of it that is solid, along u and along v, or None.

    """

    bulge: float
    reach: tuple[float, float]
    holes: tuple[tuple[float, float], tuple[float, float]] | None = None

    def disparity(self, x_left: Map, y: Map) -> Map:
        """Disparity in pixels at left-view coordinates."""
        u, v = self._axes(x_left, y)
        curve = np.float32(1) - np.square(u / self.reach[0]) - np.square(v / self.reach[1])
        return np.asarray(super().disparity(x_left, y) + self.bulge * curve, np.float32)

    def left_column(self, x_right: Map, y: Map) -> Map:
        """The left-view column that projects to `x_right`: the root of a quadratic equation, in float64."""
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        tight, wide = 1 / self.reach[0] ** 2, 1 / self.reach[1] ** 2
        across, down = self.centre[0], np.asarray(y, np.float64) - self.centre[1]
        square = self.bulge * (cosine**2 * tight + sine**2 * wide)
        linear = 1 - self.slope_x + 2 * self.bulge * cosine * sine * (tight - wide) * down
        bent = self.bulge * (1 - (sine**2 * tight + cosine**2 * wide) * down**2)
        constant = across * (1 - self.slope_x) - self.offset - self.slope_y * np.asarray(y, np.float64) - bent - x_right
        root = np.sqrt(np.maximum(linear**2 - 4 * square * constant, 0))
        return np.asarray(across - 2 * constant / np.maximum(linear + root, 1e-3), np.float32)

    def covers(self, x_left: Map, y: Map) -> NDArray[np.bool_]:
        """Where the outline contains the left-view coordinates and there is no hole."""
        inside = super().covers(x_left, y)
        if self.holes is None:
            return inside
        (u_period, u_solid), (v_period, v_solid) = self.holes
        u, v = self._axes(x_left, y)
        bars = (np.mod(u / u_period, 1) < u_solid) | (np.mod(v / v_period, 1) < v_solid)
        return np.asarray(inside & bars)

    def _swing(self) -> float:
        """How far the disparity of points inside the outline may lie from the plane, in pixels."""
        assert self.radii is not None
        beyond = (self.radii[0] / self.reach[0]) ** 2 + (self.radii[1] / self.reach[1]) ** 2 - 1
        return abs(self.bulge) * max(1.0, beyond)
