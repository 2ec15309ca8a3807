"""Lossless codes of disparity maps, the smallest that fits: float16, uint16 in steps of 1/256 px, or float32.

float16 holds 11 significant bits: the 1/256 px steps of KITTI fit up to 8 px only, so that hardly any KITTI map is
stored that way; KITTI's own code, uint16 with value / 256, is as small and always exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

KITTI_SCALE = 256
CODINGS = {"float16": np.float16, "uint16": np.uint16, "float32": np.float32}
"""Data type of each coding, in the order in which they are tried."""

Codes = NDArray[np.float16] | NDArray[np.uint16] | NDArray[np.float32]


def encode(disparity: NDArray[np.float32]) -> tuple[str, Codes]:
    """The first coding that gives back every bit of ``[H, W]`` disparities, and the codes."""
    largest = float(np.max(disparity, initial=0))
    if largest <= float(np.finfo(np.float16).max):
        halves = disparity.astype(np.float16)
        if _same(decode("float16", halves), disparity):
            return "float16", halves
    if largest * KITTI_SCALE <= np.iinfo(np.uint16).max and not np.any(disparity < 0):
        steps = np.rint(disparity * np.float32(KITTI_SCALE)).astype(np.uint16)
        if _same(decode("uint16", steps), disparity):
            return "uint16", steps
    return "float32", disparity


def decode(coding: str, codes: Codes) -> NDArray[np.float32]:
    """Disparities in pixels from the codes of `encode`."""
    values = codes.astype(np.float32)
    return values / np.float32(KITTI_SCALE) if coding == "uint16" else values


def _same(first: NDArray[np.float32], second: NDArray[np.float32]) -> bool:
    return bool(np.array_equal(first.view(np.uint32), second.view(np.uint32)))
