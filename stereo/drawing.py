"""Disparity and error maps as colours.

Shape legend: H, W are the image's height and width in pixels; every colour image is ``[H, W, 3]`` uint8 RGB.
"""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Map = NDArray[np.floating]
Mask = NDArray[np.bool_]

DISPARITY_COLOURS = "viridis"
ABSOLUTE_LIMIT_PX = 3.0
RELATIVE_LIMIT = 0.05
# Source: KITTI 2015 devkit (Menze and Geiger 2015), log colour map: an error of 1 is the limit of an outlier, each
# bin doubles the one before, blues are correct and reds are wrong. The colours are ColorBrewer's RdYlBu.
ERROR_EDGES = np.array([0.0, *(2.0**power for power in range(-4, 5))])
ERROR_COLOURS = np.array(
    [
        (49, 54, 149), (69, 117, 180), (116, 173, 209), (171, 217, 233), (224, 243, 248),
        (254, 224, 144), (253, 174, 97), (244, 109, 67), (215, 48, 39), (165, 0, 38),
    ],
    dtype=np.uint8,
)  # fmt: skip


def colour_disparity(disparity: Map, maximum: float, valid: Mask | None = None) -> Image:
    """Colour a disparity map on a perceptually uniform scale that also colour-blind readers can order.

    Args:
        disparity: ``[H, W]`` in pixels.
        maximum: the disparity of the brightest colour, in pixels; larger values get the same colour.
        valid: ``[H, W]``; where false, or where the disparity is not finite, the pixel is black.

    Returns:
        ``[H, W, 3]`` uint8 RGB.

    """
    known = np.isfinite(disparity) if valid is None else valid & np.isfinite(disparity)
    share = np.where(known, disparity, 0.0) / maximum
    colours = mpl.colormaps[DISPARITY_COLOURS](np.clip(share, 0.0, 1.0), bytes=True)[..., :3]
    return np.where(known[..., None], colours, 0).astype(np.uint8)


def error_level(error: Map, disparity_true: Map) -> Map:
    """How many times an error exceeds KITTI's limits: ``min(e / 3 px, (e / g) / 5 %)``; 1 or less is correct."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.minimum(error / ABSOLUTE_LIMIT_PX, error / disparity_true / RELATIVE_LIMIT)


def colour_error(error: Map, disparity_true: Map, valid: Mask) -> Image:
    """Colour an error map on KITTI's logarithmic scale: blue is correct, red is wrong.

    The bins of `error_level` are ``[0, 1/16), [1/16, 1/8), ... [8, 16), [16, inf)``; where the relative limit does not
    bind they lie at 0.1875, 0.375, 0.75, 1.5, 3, 6, 12, 24 and 48 px.

    Args:
        error: ``[H, W]`` absolute disparity error in pixels.
        disparity_true: ``[H, W]`` ground truth in pixels.
        valid: ``[H, W]``; where false the pixel is black.

    Returns:
        ``[H, W, 3]`` uint8 RGB.

    Source: KITTI 2015 devkit, error image with log colours (Menze and Geiger 2015).

    """
    level = error_level(error, disparity_true)
    known = valid & np.isfinite(level)
    bins = np.searchsorted(ERROR_EDGES, np.where(known, level, 0.0), side="right") - 1
    return np.where(known[..., None], ERROR_COLOURS[bins], 0).astype(np.uint8)


def thicken(image: Image, valid: Mask) -> Image:
    """Paint every invalid pixel with a valid neighbour's colour, so that laser points stay visible when reduced.

    Source: the 3x3 blocks of the KITTI devkit's error image. Interpretation: valid pixels keep their own colour.
    """
    height, width = valid.shape
    padded, known = np.pad(image, ((1, 1), (1, 1), (0, 0))), np.pad(valid, 1)
    result, done = image.copy(), valid.copy()
    for top in range(3):
        for left in range(3):
            window = slice(top, top + height), slice(left, left + width)
            fresh = known[window] & ~done
            result[fresh] = padded[window][fresh]
            done |= fresh
    return result
