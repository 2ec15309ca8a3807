"""Slanted surfaces with a shape: a plane of disparity over the left view, an outline and a texture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from disparsity.datasets.synthetic.textures import random_texture

Map = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Surface:
    """One textured, slanted surface.

    Its disparity at left-view pixel (x, y) is ``offset + slope_x x + slope_y y``. Its outline is the superellipse
    ``|u|^power + |v|^power < 1`` in its own rotated axes; a background has no outline (`radii` None).
    """

    offset: float
    slope_x: float
    slope_y: float
    centre: tuple[float, float]
    radii: tuple[float, float] | None
    angle: float
    power: float
    texture: Map
    texture_scale: float
    texture_shift: tuple[float, float]

    def disparity(self, x_left: Map, y: Map) -> Map:
        """Disparity in pixels at left-view coordinates."""
        return (self.offset + self.slope_x * x_left + self.slope_y * y).astype(np.float32)

    def left_column(self, x_right: Map, y: Map) -> Map:
        """The left-view column that projects to `x_right`: solves x_left - disparity(x_left, y) = x_right."""
        return ((x_right + self.offset + self.slope_y * y) / (1.0 - self.slope_x)).astype(np.float32)

    def covers(self, x_left: Map, y: Map) -> NDArray[np.bool_]:
        """Where the outline contains the left-view coordinates."""
        if self.radii is None:
            return np.ones(np.broadcast_shapes(x_left.shape, y.shape), bool)
        u, v = self._axes(x_left, y)
        return np.abs(u / self.radii[0]) ** self.power + np.abs(v / self.radii[1]) ** self.power < 1.0

    def window(self, height: int, width: int, *, right: bool) -> tuple[slice, slice]:
        """Rows and columns of a view outside of which the outline is not, with a pixel to spare."""
        if self.radii is None:
            return slice(0, height), slice(0, width)
        cosine, sine = abs(math.cos(self.angle)), abs(math.sin(self.angle))
        across, down = cosine * self.radii[0] + sine * self.radii[1], sine * self.radii[0] + cosine * self.radii[1]
        x, y = self.centre
        columns = [x - across, x + across]
        if right:
            moved = [(1.0 - self.slope_x) * column - self.offset for column in columns]
            columns = [column - self.slope_y * row for column in moved for row in (y - down, y + down)]
            swing = self._swing()
            columns = [min(columns) - swing, max(columns) + swing]
        return _span(y - down, y + down, height), _span(columns[0], columns[1], width)

    def _swing(self) -> float:
        """How far the disparity of points inside the outline may lie from the plane, in pixels."""
        return 0.0

    def colour(self, x_left: Map, y: Map) -> Map:
        """Texture ``[..., 3]`` at left-view coordinates, bilinear, wrapping around."""
        u, v = self._axes(x_left, y)
        columns = _wrapped(u * self.texture_scale + self.texture_shift[0], self.texture.shape[1])
        rows = _wrapped(v * self.texture_scale + self.texture_shift[1], self.texture.shape[0])
        colours = cv2.remap(self.texture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        return np.asarray(colours, np.float32)

    def _axes(self, x_left: Map, y: Map) -> tuple[Map, Map]:
        cosine, sine = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        x, row = x_left - np.float32(self.centre[0]), y - np.float32(self.centre[1])
        u, v = cosine * x + sine * row, cosine * row - sine * x
        return np.asarray(u, np.float32), np.asarray(v, np.float32)


def _wrapped(places: Map, period: int) -> Map:
    """`places` modulo `period`, which is a power of two: then this is the exact remainder, faster than `np.mod`."""
    whole = np.floor(places / period)
    whole *= period
    return places - whole


def _span(first: float, last: float, count: int) -> slice:
    start = min(max(math.floor(first) - 1, 0), count)
    return slice(start, min(max(math.ceil(last) + 2, start), count))


def random_background(rng: np.random.Generator, height: int, width: int, maximum: float) -> Surface:
    """A surface without outline, far away, slanted like a wall or a ground plane."""
    middle = maximum * rng.uniform(0.08, 0.3)
    slope_y = middle * rng.uniform(-0.3, 1.4) / height
    slope_x = middle * rng.uniform(-0.5, 0.5) / width
    return _surface(rng, (width / 2, height / 2), middle, (slope_x, slope_y), None, _texture_side(height))


def random_shape(rng: np.random.Generator, height: int, width: int, maximum: float) -> Surface:
    """A slanted shape anywhere in the view, from thin poles to large slabs, nearer than most backgrounds."""
    largest = 0.45 * height
    radius = largest * rng.uniform(0.12, 1.0)
    aspect = rng.uniform(0.06, 0.25) if rng.random() < 0.2 else rng.uniform(0.4, 1.0)
    centre = (rng.uniform(-0.05, 1.15) * width, rng.uniform(0.0, 1.0) * height)
    middle = maximum * rng.uniform(0.15, 0.85)
    steepest = min(0.25, 0.8 * min(middle - 1.0, maximum - middle) / (2 * radius))
    slopes = (rng.uniform(-1, 1) * steepest, rng.uniform(-1, 1) * steepest)
    return _surface(rng, centre, middle, slopes, (radius, radius * aspect), _texture_side(height))


def _texture_side(height: int) -> int:
    """A power of two about as large as the view, so that a texture repeats only a few times across it."""
    return min(512, max(128, 1 << (height - 1).bit_length()))


def _surface(
    rng: np.random.Generator,
    centre: tuple[float, float],
    middle: float,
    slopes: tuple[float, float],
    radii: tuple[float, float] | None,
    side: int,
) -> Surface:
    return Surface(
        offset=middle - slopes[0] * centre[0] - slopes[1] * centre[1],
        slope_x=slopes[0],
        slope_y=slopes[1],
        centre=centre,
        radii=radii,
        angle=float(rng.uniform(0, np.pi)),
        power=float(rng.choice([1.0, 2.0, 2.0, 6.0])),
        texture=random_texture(rng, side),
        texture_scale=float(rng.uniform(0.6, 1.6)),
        texture_shift=(float(rng.uniform(0, side)), float(rng.uniform(0, side))),
    )
