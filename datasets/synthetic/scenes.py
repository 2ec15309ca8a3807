"""Rendered scenes: both views, with exact sub-pixel disparity and occlusion from geometry, not from matching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from disparsity.datasets.synthetic.hard import hard_photometry, hard_surfaces
from disparsity.datasets.synthetic.rendering import render_view
from disparsity.datasets.synthetic.surfaces import Surface, random_background, random_shape

Map = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A rendered pair.

    Attributes:
        left: ``[H, W, 3]`` float32 in 0..1.
        right: the same.
        disparity: ``[H, W]`` float32 of the left view, in pixels.

    """

    left: Map
    right: Map
    disparity: Map


def random_scene(rng: np.random.Generator, height: int, width: int, maximum: float) -> Scene:
    """A background and 4 to 13 shapes, with small photometric differences between the views."""
    shapes = [random_shape(rng, height, width, maximum) for _ in range(int(rng.integers(4, 14)))]
    scene = render([random_background(rng, height, width, maximum), *shapes], height, width)
    left, right = _photometry(rng, scene.left), _photometry(rng, scene.right)
    return Scene(left=left, right=right, disparity=scene.disparity)


def hard_scene(rng: np.random.Generator, height: int, width: int, maximum: float) -> Scene:
    """A curved background and 12 to 36 shapes, thin and pierced ones among them, lit differently in the two views."""
    scene = render(hard_surfaces(rng, height, width, maximum), height, width)
    left, right = hard_photometry(rng, scene.left), hard_photometry(rng, scene.right)
    return Scene(left=left, right=right, disparity=scene.disparity)


STYLES: dict[str, Callable[[np.random.Generator, int, int, float], Scene]] = {"plain": random_scene, "hard": hard_scene}


def render(surfaces: Sequence[Surface], height: int, width: int) -> Scene:
    """Render both views; the nearest surface (largest disparity) is seen at every pixel."""
    left, disparity = render_view(surfaces, height, width, right=False)
    right, _ = render_view(surfaces, height, width, right=True)
    return Scene(left=left, right=right, disparity=disparity)


def occlusion(surfaces: Sequence[Surface], disparity: Map) -> NDArray[np.bool_]:
    """Left pixels ``[H, W]`` whose surface point the right view does not show, given the left view's disparity."""
    y, x = np.mgrid[0 : disparity.shape[0], 0 : disparity.shape[1]].astype(np.float32)
    x_right = x - disparity
    hidden = x_right < 0
    for surface in surfaces:
        x_left = surface.left_column(x_right, y)
        tolerance = 1e-3 * (1.0 + disparity)
        hidden |= surface.covers(x_left, y) & (surface.disparity(x_left, y) > disparity + tolerance)
    return hidden


def _photometry(rng: np.random.Generator, image: Map) -> Map:
    gain, offset = rng.uniform(0.9, 1.1), rng.uniform(-0.04, 0.04)
    blurred = np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.3, 0.7))), np.float32)
    noise = rng.standard_normal(image.shape).astype(np.float32)
    noise *= np.float32(rng.uniform(0.0, 0.02))
    blurred *= np.float32(gain)
    blurred += np.float32(offset)
    blurred += noise
    return np.clip(blurred, 0.0, 1.0, out=blurred)
