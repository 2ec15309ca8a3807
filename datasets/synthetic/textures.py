"""Random surface textures: noise at several scales, stripes and checks, from strong to almost none."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def random_texture(rng: np.random.Generator, side: int) -> NDArray[np.float32]:
    """A texture ``[side, side, 3]`` in 0..1 that wraps around at its borders; `side` is a power of two."""
    base = rng.uniform(0.1, 0.9, 3).astype(np.float32)
    contrast = rng.uniform(0.03, 0.6)
    pattern = _noise(rng, side) if rng.random() < 0.75 else _periodic(rng, side)
    tint = rng.uniform(0.4, 1.0, 3).astype(np.float32)
    return np.clip(base + contrast * pattern * tint, 0.0, 1.0).astype(np.float32)


def _noise(rng: np.random.Generator, side: int) -> NDArray[np.float32]:
    slope = rng.uniform(0.3, 1.1)
    total = np.zeros((side, side, 3), np.float32)
    octave = 4
    while octave < side:
        channels = 3 if rng.random() < 0.5 else 1
        cells = rng.standard_normal((octave, octave, channels), np.float32) * np.float32(octave**-slope)
        total += _grow(cells, side)
        octave *= 2
    return total / max(float(total.std()), 1e-6)


def _grow(cells: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Cubic interpolation of ``[n, n, C]`` cells to ``[side, side, C]``, wrapping around."""
    count = cells.shape[0]
    step = side // count
    padded = np.pad(cells, ((2, 2), (2, 2), (0, 0)), mode="wrap")
    larger = (count + 4) * step
    grown = cv2.resize(padded, (larger, larger), interpolation=cv2.INTER_CUBIC).reshape(larger, larger, -1)
    return np.asarray(grown[2 * step : 2 * step + side, 2 * step : 2 * step + side], np.float32)


def _periodic(rng: np.random.Generator, side: int) -> NDArray[np.float32]:
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32) * (2 * np.pi / side)
    cycles = rng.integers(side // 64, side // 7, 2)
    waves = np.sin(cycles[0] * columns + rng.uniform(0, 6)) * np.cos(rng.integers(0, 2) * cycles[1] * rows)
    sharp = np.sign(waves) if rng.random() < 0.5 else waves
    return (sharp[..., None] + 0.3 * _noise(rng, side)).astype(np.float32)
