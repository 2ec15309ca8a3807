"""Renderer of one view: which surface is nearest at each pixel, then the colour of every pixel once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disparsity.datasets.synthetic.surfaces import Surface

Map = NDArray[np.float32]
Window = tuple[slice, slice]

_MOST_PLACES = 16_384
"""Colours are looked up in lists of at most this length: OpenCV takes no wider images than 32767 pixels."""


def render_view(surfaces: Sequence[Surface], height: int, width: int, *, right: bool) -> tuple[Map, Map]:
    """Image ``[H, W, 3]`` and disparity ``[H, W]`` of a view; where there is no surface, black and -inf."""
    nearest = np.full((height, width), -np.inf, np.float32)
    owner = np.full((height, width), len(surfaces), np.uint16)
    windows = [surface.window(height, width, right=right) for surface in surfaces]
    for number, (surface, window) in enumerate(zip(surfaces, windows, strict=True)):
        _test_depth(surface, number, window, nearest[window], owner[window], right=right)
    image = np.zeros((height, width, 3), np.float32)
    for number, (surface, window) in enumerate(zip(surfaces, windows, strict=True)):
        _fill(surface, owner[window] == number, window, image[window], right=right)
    return image, nearest


def _test_depth(
    surface: Surface, number: int, window: Window, nearest: Map, owner: NDArray[np.uint16], *, right: bool
) -> None:
    """Depth test: enter a surface into the window's maps where it is nearer than the surfaces before it."""
    rows, columns = window
    y, x = _pixels(rows)[:, None], _pixels(columns)[None, :]
    x_left = surface.left_column(x, y) if right else x
    disparity = surface.disparity(x_left, y)
    front = surface.covers(x_left, y) & (disparity > nearest)
    np.copyto(nearest, disparity, where=front)
    np.copyto(owner, np.uint16(number), where=front)


def _fill(surface: Surface, shown: NDArray[np.bool_], window: Window, image: Map, *, right: bool) -> None:
    """Colour the pixels of the window that show a surface."""
    rows, columns = np.nonzero(shown)
    for start in range(0, len(rows), _MOST_PLACES):
        row, column = rows[start : start + _MOST_PLACES], columns[start : start + _MOST_PLACES]
        y, x = (row + window[0].start).astype(np.float32), (column + window[1].start).astype(np.float32)
        x_left = surface.left_column(x, y) if right else x
        image[row, column] = surface.colour(x_left[None], y[None])[0]


def _pixels(span: slice) -> Map:
    return np.arange(span.start, span.stop, dtype=np.float32)
