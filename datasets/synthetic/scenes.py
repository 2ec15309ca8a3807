"""A scene painted into both views, with exact sub-pixel disparity and occlusion from geometry, not from matching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from disparsity.datasets.synthetic.surfaces import Surface, random_background, random_shape

Map = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A rendered pair.

    Attributes:
        left: ``[H, W, 3]`` float32 in 0..1.
        right: the same.
        disparity: ``[H, W]`` float32 of the left view, in pixels.
        occluded: ``[H, W]`` bool, left pixels whose surface point the right view does not show.

    """

    left: Map
    right: Map
    disparity: Map
    occluded: NDArray[np.bool_]


def random_scene(rng: np.random.Generator, height: int, width: int, maximum: float) -> Scene:
    """A background and 4 to 13 shapes, with small photometric differences between the views."""
    shapes = [random_shape(rng, height, width, maximum) for _ in range(int(rng.integers(4, 14)))]
    scene = render([random_background(rng, height, width, maximum), *shapes], height, width)
    left, right = _photometry(rng, scene.left), _photometry(rng, scene.right)
    return Scene(left=left, right=right, disparity=scene.disparity, occluded=scene.occluded)


def render(surfaces: Sequence[Surface], height: int, width: int) -> Scene:
    """Paint surfaces into both views; the nearest (largest disparity) wins at every pixel."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    columns_left = [x for _ in surfaces]
    columns_right = [surface.left_column(x, y) for surface in surfaces]
    left, disparity = _paint(surfaces, columns_left, y)
    right, _ = _paint(surfaces, columns_right, y)
    return Scene(left=left, right=right, disparity=disparity, occluded=_occlusion(surfaces, x, y, disparity))


def _paint(surfaces: Sequence[Surface], columns: Sequence[Map], y: Map) -> tuple[Map, Map]:
    nearest = np.full(y.shape, -np.inf, np.float32)
    image = np.zeros((*y.shape, 3), np.float32)
    for surface, x_left in zip(surfaces, columns, strict=True):
        disparity = surface.disparity(x_left, y)
        front = surface.covers(x_left, y) & (disparity > nearest)
        nearest = np.where(front, disparity, nearest)
        image = np.where(front[..., None], surface.colour(x_left, y), image)
    return image, nearest


def _occlusion(surfaces: Sequence[Surface], x: Map, y: Map, disparity: Map) -> NDArray[np.bool_]:
    x_right = x - disparity
    hidden = x_right < 0
    for surface in surfaces:
        x_left = surface.left_column(x_right, y)
        tolerance = 1e-3 * (1.0 + disparity)
        hidden |= surface.covers(x_left, y) & (surface.disparity(x_left, y) > disparity + tolerance)
    return hidden


def _photometry(rng: np.random.Generator, image: Map) -> Map:
    gain, offset = rng.uniform(0.9, 1.1), rng.uniform(-0.04, 0.04)
    blurred = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.3, 0.7)))
    noise = rng.standard_normal(image.shape).astype(np.float32) * np.float32(rng.uniform(0.0, 0.02))
    return np.clip(blurred * np.float32(gain) + np.float32(offset) + noise, 0.0, 1.0).astype(np.float32)
