"""Sparse convolution kernels, compiled by Numba: each non-zero weight is a shifted multiply-add of a plane.

Every output is summed by one thread in a fixed order, so that the bits do not depend on the number of threads. Each
kernel takes the share `part` of `parts` and runs without Python's lock. Numba's own threads stay unused: they would
change the number of threads that torch's operators use.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_CHUNK = 2048


@njit(nogil=True, cache=True)
def embed(part: int, parts: int, source: Any, front: int, origin: tuple[int, int, int], size: Any, target: Any) -> None:
    """Fill `target` ``[B, C, front + D' H' W']`` with `source` ``[B, C, D, H, W]`` at `origin` and zeros around it."""
    batches, channels, depth, height, width = source.shape
    for task in range(part, batches * channels, parts):
        b, c = task // channels, task % channels
        target[b, c, :front] = 0.0
        for z in range(size[0]):
            for y in range(size[1]):
                start = front + (z * size[1] + y) * size[2]
                row = target[b, c, start : start + size[2]]
                if origin[0] <= z < origin[0] + depth and origin[1] <= y < origin[1] + height:
                    row[: origin[2]] = 0.0
                    row[origin[2] : origin[2] + width] = source[b, c, z - origin[0], y - origin[1]]
                    row[origin[2] + width :] = 0.0
                else:
                    row[:] = 0.0


@njit(fastmath=True, cache=True, inline="always")
def _add_taps(
    total: Any, planes: Any, first: int, last: int, plane: Any, offset: Any, value: Any, start: int, count: int
) -> None:
    """``total[:count] += value[k] * planes[plane[k], start + offset[k] :][:count]`` for taps first..last-1."""
    k = first
    while k + 4 <= last:
        v0, v1, v2, v3 = value[k], value[k + 1], value[k + 2], value[k + 3]
        a0, a1, a2, a3 = start + offset[k], start + offset[k + 1], start + offset[k + 2], start + offset[k + 3]
        x0, x1 = planes[plane[k], a0 : a0 + count], planes[plane[k + 1], a1 : a1 + count]
        x2, x3 = planes[plane[k + 2], a2 : a2 + count], planes[plane[k + 3], a3 : a3 + count]
        for j in range(count):
            total[j] += v0 * x0[j] + v1 * x1[j] + v2 * x2[j] + v3 * x3[j]
        k += 4
    while k < last:
        v = value[k]
        x = planes[plane[k], start + offset[k] : start + offset[k] + count]
        for j in range(count):
            total[j] += v * x[j]
        k += 1


@njit(nogil=True, fastmath=True, cache=True)
def convolve(
    part: int,
    parts: int,
    planes: Any,
    starts: Any,
    plane: Any,
    offset: Any,
    value: Any,
    bias: Any,
    size: Any,
    output: Any,
) -> None:
    """Fill `output` ``[B, O, D, H, W]`` from `planes` ``[B, P, N]`` that are laid out in `size` ``(D', H', W')``."""
    batches, channels, depth, height, width = output.shape
    rows = max(1, _CHUNK // size[2])
    total = np.empty(rows * size[2], np.float32)
    for task in range(part, batches * channels, parts):
        b, o = task // channels, task % channels
        for z in range(depth):
            for y in range(0, height, rows):
                taken = min(rows, height - y)
                count = (taken - 1) * size[2] + width
                total[:count] = bias[o]
                start = (z * size[1] + y) * size[2]
                _add_taps(total, planes[b], starts[o], starts[o + 1], plane, offset, value, start, count)
                for r in range(taken):
                    output[b, o, z, y + r] = total[r * size[2] : r * size[2] + width]


@njit(nogil=True, fastmath=True, cache=True)
def correlate(
    part: int,
    parts: int,
    gradient: Any,
    front: int,
    span: int,
    planes: Any,
    starts: Any,
    plane: Any,
    offset: Any,
    sums: Any,
) -> None:
    """Fill `sums` (float64, one per tap) with the gradient of every tap's value."""
    for o in range(part, starts.shape[0] - 1, parts):
        sums[starts[o] : starts[o + 1]] = 0.0
        for b in range(planes.shape[0]):
            for start in range(0, span, _CHUNK):
                count = min(_CHUNK, span - start)
                g = gradient[b, o, front + start : front + start + count]
                for k in range(starts[o], starts[o + 1]):
                    x = planes[b, plane[k], start + offset[k] : start + offset[k] + count]
                    total = np.float32(0.0)
                    for j in range(count):
                        total += g[j] * x[j]
                    sums[k] += total
