"""Disparity maps of 8 bits: a fixed number of grey levels per pixel of disparity, 0 unknown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disparsity.datasets.decoders.png import read_png8


def read_scaled(path: Path, scale: int) -> NDArray[np.float32]:
    """Read an 8-bit gray PNG or PGM as ``[H, W]`` disparities: value / `scale` pixels; raises as `read_png8`."""
    return read_png8(path).astype(np.float32) / np.float32(scale)
