"""Random surface textures: noise at several scales, stripes and checks, from strong to almost none."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from disparsity.datasets.synthetic.upsampling import add_grown

Map = NDArray[np.float32]


def random_texture(rng: np.random.Generator, side: int) -> Map:
    """A texture ``[side, side, 3]`` in 0..1 that wraps around at its borders; `side` is a power of two."""
    base = rng.uniform(0.1, 0.9, 3).astype(np.float32)
    contrast = rng.uniform(0.03, 0.6)
    planes = _noise(rng, side) if rng.random() < 0.75 else _periodic(rng, side)
    tint = rng.uniform(0.4, 1.0, 3).astype(np.float32)
    return _coloured(planes, contrast, tint, base)


def hard_texture(rng: np.random.Generator, side: int) -> Map:
    """As `random_texture`, but a quarter of them is nearly blank and a quarter repeats itself exactly."""
    base = rng.uniform(0.05, 0.95, 3).astype(np.float32)
    kind = rng.random()
    contrast = rng.uniform(0.005, 0.04) if kind < 0.25 else rng.uniform(0.1, 0.8)
    repeats = int(rng.choice([4, 8])) if 0.25 <= kind < 0.4 else 1
    planes = _periodic(rng, side) if 0.4 <= kind < 0.5 else np.tile(_noise(rng, side // repeats), (repeats, repeats))
    return _coloured(planes, contrast, rng.uniform(0.2, 1.0, 3).astype(np.float32), base)


def _coloured(planes: Map, contrast: float, tint: Map, base: Map) -> Map:
    planes *= contrast
    planes *= tint[:, None, None]
    planes += base[:, None, None]
    return interleave(np.clip(planes, 0.0, 1.0, out=planes))


def interleave(planes: Map) -> Map:
    """Planes ``[3, H, W]`` as an image ``[H, W, 3]``."""
    return np.asarray(cv2.merge(list(planes)), np.float32)


def _noise(rng: np.random.Generator, side: int) -> Map:
    """Noise planes ``[3, side, side]`` of unit deviation."""
    slope = rng.uniform(0.3, 1.1)
    total = np.zeros((3, side, side), np.float32)
    octave = 4
    while octave < side:
        channels = 3 if rng.random() < 0.5 else 1
        cells = rng.standard_normal((octave, octave, channels), np.float32) * np.float32(octave**-slope)
        add_grown(total, cells)
        octave *= 2
    # the deviation is summed up in the order of an image, on which its last bits depend
    total /= max(float(interleave(total).std()), 1e-6)
    return total


def _periodic(rng: np.random.Generator, side: int) -> Map:
    """Planes ``[3, side, side]`` of stripes or checks with a little noise."""
    places = np.arange(side).astype(np.float32) * (2 * np.pi / side)
    cycles = rng.integers(side // 64, side // 7, 2)
    along = np.sin(cycles[0] * places + rng.uniform(0, 6))
    waves = along * np.cos(rng.integers(0, 2) * cycles[1] * places)[:, None]
    sharp = np.sign(waves) if rng.random() < 0.5 else waves
    return (sharp + 0.3 * _noise(rng, side)).astype(np.float32)
