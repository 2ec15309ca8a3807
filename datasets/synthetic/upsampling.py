"""Cubic interpolation of a periodic grid, in the arithmetic that existing seeds were rendered with.

Scenes are pure functions of their seed, so rendering them faster must not change their bits. OpenCV's cubic resize on
x86 (through Intel IPP) is slow for large factors; what it computes is a fixed order of multiplications and additions,
some of them fused, which is written out here. Small factors stay with OpenCV.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

Map = NDArray[np.float32]

_LARGE_FACTOR = 16
_SHARPNESS = -0.75
"""Of the cubic kernel (Keys 1981, equation 4), as OpenCV has it."""


def add_grown(total: Map, cells: Map) -> None:
    """Interpolate ``[n, n, C]`` cells (C is 1 or 3), wrapping around, and add them to planes ``[3, side, side]``.

    `side` is n times a power of two. Source: cubic convolution (Keys 1981), with cell centres at half a cell.
    """
    factor = total.shape[-1] // len(cells)
    if factor >= _LARGE_FACTOR:
        _add_by_hand(total, cells, factor)
    else:
        _add_by_opencv(total, cells, factor)


def _add_by_opencv(total: Map, cells: Map, factor: int) -> None:
    padded = cv2.copyMakeBorder(cells, 2, 2, 2, 2, cv2.BORDER_WRAP)
    larger = len(padded) * factor
    grown = cv2.resize(padded, (larger, larger), interpolation=cv2.INTER_CUBIC)
    inner = grown[2 * factor : -2 * factor, 2 * factor : -2 * factor]
    total += inner if inner.ndim == 2 else inner.transpose(2, 0, 1)


def _add_by_hand(total: Map, cells: Map, factor: int) -> None:
    """Along rows, then along columns, which start at the centre of cell -1: half a cell early."""
    count = len(cells)
    padded = cv2.copyMakeBorder(cells, 2, 1, 2, 2, cv2.BORDER_WRAP).reshape(count + 3, count + 4, -1)
    tall = _along_columns(_along_rows(np.asarray(padded, np.float32), factor), factor)
    late = factor // 2
    total[:, :-late] += tall[:, late:]
    total[:, -late:] += tall[:, :late]


def _along_rows(cells: Map, factor: int) -> Map:
    """Cells ``[R, n + 4, C]`` with two to spare on each side, as planes ``[C, R, n * factor]``."""
    index, weights = _row_taps(cells.shape[1] - 4, factor)
    first, second, third, fourth = np.take(cells.transpose(2, 0, 1), index, axis=2).transpose(2, 0, 1, 3)
    if cells.shape[2] == 1:
        return first * weights[0] + second * weights[1] + (third * weights[2] + fourth * weights[3])
    outer = _fused(first, weights[0], fourth * weights[3])
    return outer + _fused(second, weights[1], third * weights[2])


def _fused(tap: Map, weight: Map, addend: Map) -> Map:
    """The sum tap * weight + addend, rounded once: float64 holds the product of two float32 numbers exactly."""
    return np.asarray(np.multiply(tap, weight, dtype=np.float64) + addend, np.float32)


def _along_columns(planes: Map, factor: int) -> Map:
    """Planes ``[C, n + 3, W]`` as ``[C, n * factor, W]``, from the centre of the second row on.

    torch computes `addcmul` on float32 with one rounding, as above, and faster than numpy.
    """
    weights = torch.from_numpy(_weights(factor))[:, None, None, :, None]
    taps = torch.from_numpy(planes).unfold(1, 4, 1).permute(3, 0, 1, 2)[:, :, :, None]
    both = taps[1::2] * weights[1::2]
    both.addcmul_(taps[::2], weights[::2])
    return np.asarray(both[0].add_(both[1]).flatten(1, 2))


@lru_cache
def _row_taps(count: int, factor: int) -> tuple[NDArray[np.int64], Map]:
    """For each of `count` x `factor` places: which four of count + 4 cells, and their weights; both ``[4, places]``."""
    early = (np.arange(count * factor) + factor // 2) // factor
    weights = np.roll(_weights(factor), -(factor // 2), 1)
    return early + np.arange(4)[:, None], np.tile(weights, count)


@lru_cache
def _weights(factor: int) -> Map:
    """Weights ``[4, factor]`` of the cells around each of `factor` places between two cell centres; exact."""
    x = (np.arange(factor) + 0.5) / factor
    a = _SHARPNESS
    first = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a
    second = ((a + 2) * x - (a + 3)) * x * x + 1
    third = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1
    return np.stack([first, second, third, 1 - first - second - third]).astype(np.float32)
