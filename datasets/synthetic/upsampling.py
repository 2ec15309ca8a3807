"""Cubic interpolation of a periodic grid, in the arithmetic that existing seeds were drawn with.

Scenes are pure functions of their seed, so drawing them faster must not change their bits. OpenCV's cubic resize on x86
(through Intel IPP) is slow for large factors; what it computes is a fixed order of multiplications and additions, some
of them fused, which is written out here. Small factors stay with OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Map = NDArray[np.float32]

_SMALL_FACTOR = 8
_SHARPNESS = -0.75
"""Of the cubic kernel (Keys 1981, equation 4), as OpenCV has it."""


def grow(cells: Map, side: int) -> Map:
    """Interpolate ``[n, n, C]`` cells (C is 1 or 3) to planes ``[C, side, side]``, wrapping around.

    `side` is n times a power of two. Source: cubic convolution (Keys 1981), with cell centres at half a cell.
    """
    factor = side // len(cells)
    return _by_opencv(cells, factor) if factor <= _SMALL_FACTOR else _by_hand(cells, factor)


def _by_opencv(cells: Map, factor: int) -> Map:
    padded = cv2.copyMakeBorder(cells, 2, 2, 2, 2, cv2.BORDER_WRAP)
    larger = len(padded) * factor
    grown = cv2.resize(padded, (larger, larger), interpolation=cv2.INTER_CUBIC)
    inner = np.asarray(grown[2 * factor : -2 * factor, 2 * factor : -2 * factor], np.float32)
    return inner[None] if inner.ndim == 2 else np.stack(cv2.split(inner))


def _by_hand(cells: Map, factor: int) -> Map:
    """Along rows, then along columns; each starts at the centre of cell -1, half a cell early."""
    count = len(cells)
    padded = cv2.copyMakeBorder(cells, 2, 1, 2, 1, cv2.BORDER_WRAP).reshape(count + 3, count + 3, -1)
    planes = torch.from_numpy(padded).permute(2, 0, 1).contiguous()
    weights = _weights(factor)
    wide = _along_rows([planes[:, :, k : k + count, None] for k in range(4)], weights)
    wide = wide.reshape(-1, count + 3, count * factor).roll(-factor // 2, 2)
    tall = _along_columns([wide[:, k : k + count, None] for k in range(4)], [w[:, None] for w in weights])
    return np.asarray(tall.reshape(-1, count * factor, count * factor).roll(-factor // 2, 1))


def _along_rows(taps: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    if len(taps[0]) == 1:
        return taps[0] * weights[0] + taps[1] * weights[1] + (taps[2] * weights[2] + taps[3] * weights[3])
    outer = _fused(taps[3] * weights[3], taps[0], weights[0])
    return outer.add_(_fused(taps[2] * weights[2], taps[1], weights[1]))


def _along_columns(taps: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    upper = _fused(taps[1] * weights[1], taps[0], weights[0])
    return upper.add_(_fused(taps[3] * weights[3], taps[2], weights[2]))


def _fused(addend: Tensor, tap: Tensor, weight: Tensor) -> Tensor:
    """Addend + tap * weight in place, rounded once: torch contracts it to one instruction."""
    return addend.addcmul_(tap, weight)


@lru_cache
def _weights(factor: int) -> tuple[Tensor, ...]:
    """Four weights ``[factor]`` of the cells around each of `factor` places between two cell centres; exact."""
    x = (torch.arange(factor, dtype=torch.float64) + 0.5) / factor
    a = _SHARPNESS
    first = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a
    second = ((a + 2) * x - (a + 3)) * x * x + 1
    third = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1
    return tuple(weight.float() for weight in (first, second, third, 1 - first - second - third))
