"""Small files written by an independent encoder (Pillow) and trees in the layouts of the real data sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Scene = dict[str, np.ndarray]


@pytest.fixture
def scene() -> Scene:
    """Two random views and a disparity map with multiples of 1/256 px and some unknown pixels."""
    rng = np.random.default_rng(7)
    disparity = rng.integers(1, 40 * 256, (12, 20)).astype(np.float32) / 256
    disparity[rng.random((12, 20)) < 0.3] = 0
    views = rng.integers(0, 256, (2, 12, 20, 3), dtype=np.uint8)
    return {"left": views[0], "right": views[1], "disparity": disparity}


@pytest.fixture
def save() -> Callable[[Path, np.ndarray], Path]:
    """Writes an array by the suffix of the path: images through Pillow, PFM by hand."""

    def write(path: Path, array: np.ndarray) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".pfm":
            header = f"Pf\n{array.shape[1]} {array.shape[0]}\n-1.0\n".encode()
            path.write_bytes(header + b"".join(row.astype("<f4").tobytes() for row in reversed(array)))
        else:
            Image.fromarray(array).save(path)
        return path

    return write
