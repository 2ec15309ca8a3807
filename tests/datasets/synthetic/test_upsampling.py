"""Cubic upsampling against a naive loop in float64, against OpenCV, and under shifts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from disparsity.datasets.synthetic.upsampling import add_grown


def kernel(distance: float) -> float:
    """Cubic convolution with a = -3/4, in the textbook's two pieces."""
    t, a = abs(distance), -0.75
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * (t**3 - 5 * t**2 + 8 * t - 4) if t < 2 else 0.0


def naive(cells: np.ndarray, side: int) -> np.ndarray:
    """Every output as the kernel's weighted sum over all cells, which repeat for ever."""
    count = len(cells)
    places = (np.arange(side) + 0.5) * count / side - 0.5
    weights = np.array([[sum(kernel(x - i - count * k) for k in (-1, 0, 1)) for i in range(count)] for x in places])
    return np.einsum("yi,xj,ijc->cyx", weights, weights, cells.astype(float))


def grown(given: np.ndarray, side: int) -> np.ndarray:
    total = np.zeros((3, side, side), np.float32)
    add_grown(total, given)
    return total


def cells(count: int, channels: int) -> np.ndarray:
    return np.random.default_rng(count).standard_normal((count, count, channels), np.float32)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("count", "side"), [(4, 8), (8, 32), (4, 64), (8, 128), (4, 128)])
def test_a_naive_loop_agrees(count, side, channels):
    given = cells(count, channels)
    result = grown(given, side)
    assert result.dtype == np.float32
    assert result.shape == (3, side, side)
    np.testing.assert_allclose(result, np.broadcast_to(naive(given, side), result.shape), atol=2e-6)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("count", [4, 8])
def test_opencv_agrees(count, channels):
    given, side = cells(count, channels), 128
    factor = side // count
    padded = np.pad(given, ((2, 2), (2, 2), (0, 0)), mode="wrap")
    larger = (count + 4) * factor
    whole = cv2.resize(padded, (larger, larger), interpolation=cv2.INTER_CUBIC).reshape(larger, larger, channels)
    inner = whole[2 * factor : -2 * factor, 2 * factor : -2 * factor].transpose(2, 0, 1)
    np.testing.assert_allclose(grown(given, side)[:channels], inner, atol=2e-6)


@pytest.mark.parametrize("side", [32, 128])
def test_shifted_cells_are_a_shifted_texture(side):
    given = cells(4, 3)
    moved = grown(np.roll(given, (1, 2), (0, 1)), side)
    assert np.array_equal(moved, np.roll(grown(given, side), (side // 4, side // 2), (1, 2)))


def test_it_is_added_to_what_is_there():
    total = np.full((3, 64, 64), 2.0, np.float32)
    add_grown(total, cells(4, 1))
    np.testing.assert_allclose(total, 2 + grown(cells(4, 1), 64), atol=1e-6)
