"""Hard scenes to match: crowded, curved, thin, pierced, repetitive, blank and unevenly lit.

Interpretation: the proportions are ours and chosen by eye; `benchmarks/synthetic_scenes.py` compares their difficulty
with that of real pairs.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from disparsity.datasets.synthetic.curved import CurvedSurface
from disparsity.datasets.synthetic.textures import hard_texture

Map = NDArray[np.float32]
Holes = tuple[tuple[float, float], tuple[float, float]]

_TEXTURES = 10
"""Different textures in a scene: generating them takes most of the time, and real scenes repeat materials, too."""


def hard_surfaces(rng: np.random.Generator, height: int, width: int, maximum: float) -> list[CurvedSurface]:
    """A curved background and 12 to 36 shapes."""
    side = min(512, max(128, 1 << (height - 1).bit_length()))
    textures = [hard_texture(rng, side) for _ in range(_TEXTURES)]
    background = _background(rng, height, width, maximum, textures[0])
    count = int(rng.integers(12, 37))
    return [background, *(_shape(rng, height, width, maximum, textures) for _ in range(count))]


def _background(rng: np.random.Generator, height: int, width: int, maximum: float, texture: Map) -> CurvedSurface:
    """Slopes and bulge together take less than nine tenths of the disparity in the middle of the view."""
    middle = maximum * rng.uniform(0.05, 0.3)
    slopes = (middle * rng.uniform(-0.3, 0.3) / width, middle * rng.uniform(-0.2, 1.0) / height)
    half = math.hypot(height, width) / 2
    bulge = middle * rng.uniform(-0.25, 0.25)
    return _surface(rng, (width / 2, height / 2), middle, slopes, None, bulge, (half, half), None, texture)


def _shape(rng: np.random.Generator, height: int, width: int, maximum: float, textures: list[Map]) -> CurvedSurface:
    radius = 0.5 * height * rng.uniform(0.06, 1.0) ** 1.5
    aspect = rng.uniform(0.03, 0.15) if rng.random() < 0.3 else rng.uniform(0.3, 1.0)
    radii = (radius, max(radius * aspect, 0.75))
    centre = (rng.uniform(-0.05, 1.15) * width, rng.uniform(0.0, 1.0) * height)
    middle = maximum * rng.uniform(0.1, 0.9)
    room = min(middle - 0.04 * maximum, maximum - middle)
    steepest = min(0.25, 0.5 * room / (2 * radius))
    slopes = (rng.uniform(-1, 1) * steepest, rng.uniform(-1, 1) * steepest)
    bulge = rng.uniform(-1, 1) * min(0.3 * room, 0.2 * min(radii))
    texture = textures[int(rng.integers(len(textures)))]
    return _surface(rng, centre, middle, slopes, radii, bulge, radii, _holes(rng, radius), texture)


def _holes(rng: np.random.Generator, radius: float) -> Holes | None:
    """One shape in six is a fence or a lattice of bars."""
    if rng.random() > 1 / 6 or radius < 12:
        return None
    period = radius * rng.uniform(0.15, 0.5)
    across = rng.uniform(0.2, 0.5)
    return (period, across), (period, across if rng.random() < 0.5 else 0.1)


def _surface(
    rng: np.random.Generator,
    centre: tuple[float, float],
    middle: float,
    slopes: tuple[float, float],
    radii: tuple[float, float] | None,
    bulge: float,
    reach: tuple[float, float],
    holes: Holes | None,
    texture: Map,
) -> CurvedSurface:
    return CurvedSurface(
        offset=middle - slopes[0] * centre[0] - slopes[1] * centre[1],
        slope_x=slopes[0],
        slope_y=slopes[1],
        centre=centre,
        radii=radii,
        angle=float(rng.uniform(0, np.pi)),
        power=float(rng.choice([1.0, 2.0, 2.0, 6.0])),
        texture=texture,
        texture_scale=float(rng.uniform(0.4, 2.0)),
        texture_shift=(float(rng.uniform(0, len(texture))), float(rng.uniform(0, len(texture)))),
        bulge=bulge,
        reach=reach,
        holes=holes,
    )


def hard_photometry(rng: np.random.Generator, image: Map) -> Map:
    """Brightness, contrast, blur and noise of one view, independent of the other view's."""
    gain, offset, gamma = rng.uniform(0.85, 1.15), rng.uniform(-0.05, 0.05), rng.uniform(0.85, 1.15)
    sigma = float(rng.uniform(0.4, 0.7) if rng.random() < 0.7 else rng.uniform(0.7, 1.3))
    blurred = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)
    noise = rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(0.0, 0.02))
    lit = np.power(np.clip(blurred, 0.0, 1.0), np.float32(gamma)) * np.float32(gain) + np.float32(offset)
    return np.asarray(np.clip(lit + noise, 0.0, 1.0), np.float32)
