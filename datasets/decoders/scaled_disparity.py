"""Disparity maps of 8 bits: a fixed number of gray levels per pixel of disparity, 0 unknown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.images import read_png8

Widths = Mapping[range, int]
"""Gray levels per pixel of disparity, by the widths in pixels of the images that are stored with so many."""


def read_scaled(path: Path, widths: Widths, scale: float | None = None) -> NDArray[np.float32]:
    """Read an 8-bit gray PNG or PGM as ``[H, W]`` disparities in pixels: value / scale.

    Args:
        path: of the map.
        widths: scale of each width that the edition is published in.
        scale: gray levels per pixel of disparity, instead of what `widths` says.

    Raises:
        DataError: as `read_png8`; or the width is none of `widths`, and no scale is given.

    """
    values = read_png8(path)
    width = values.shape[1]
    if scale is None:
        scale = next((scale for span, scale in widths.items() if width in span), None)
    if scale is None:
        known = ", ".join(f"{span.start}-{span.stop - 1}" if len(span) > 1 else f"{span.start}" for span in widths)
        raise DataError(
            "the scale of this disparity map is not known",
            where=path,
            found=f"width {width}",
            expected=f"a published width ({known})",
            remedy="add ?scale=GRAY_LEVELS_PER_PIXEL",
        )
    return values.astype(np.float32) / np.float32(scale)
