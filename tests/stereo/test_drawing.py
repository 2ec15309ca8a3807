"""Colours at values computed by hand, and the sparse maps' thickening against a naive loop."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disparsity.stereo.drawing import colour_disparity, colour_error, error_level, thicken

# The devkit's bins in pixels of absolute error, for truths so small that the relative limit never binds.
BIN_STARTS_PX = [0.0, 0.1875, 0.375, 0.75, 1.5, 3.0, 6.0, 12.0, 24.0, 48.0]
BIN_COLOURS = [
    (49, 54, 149), (69, 117, 180), (116, 173, 209), (171, 217, 233), (224, 243, 248),
    (254, 224, 144), (253, 174, 97), (244, 109, 67), (215, 48, 39), (165, 0, 38),
]  # fmt: skip


def one(error: float, truth: float) -> tuple[int, ...]:
    colours = colour_error(np.array([[error]]), np.array([[truth]]), np.array([[True]]))
    return tuple(int(channel) for channel in colours[0, 0])


@pytest.mark.parametrize("index", range(10))
def test_an_edge_belongs_to_the_bin_above_it(index: int) -> None:
    assert one(BIN_STARTS_PX[index], 1.0) == BIN_COLOURS[index]
    if index:
        assert one(np.nextafter(BIN_STARTS_PX[index], 0.0), 1.0) == BIN_COLOURS[index - 1]


def test_the_relative_limit_takes_over_for_large_disparities() -> None:
    # 6 px of 240 px are 2.5 %: half the limit of 5 %, though twice the limit of 3 px.
    assert error_level(np.array([6.0]), np.array([240.0]))[0] == pytest.approx(0.5)
    assert one(6.0, 240.0) == BIN_COLOURS[4]
    assert one(6.0, 60.0) == BIN_COLOURS[6]


def test_errors_without_end_get_the_last_colour_and_unknown_pixels_are_black() -> None:
    assert one(1e9, 1.0) == BIN_COLOURS[9]
    black = colour_error(np.array([[1.0, np.nan]]), np.array([[5.0, 5.0]]), np.array([[False, True]]))
    assert not black.any()


@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0.1, 300))
def test_a_larger_error_never_gets_a_bluer_colour(first: float, second: float, truth: float) -> None:
    low, high = sorted((first, second))
    assert BIN_COLOURS.index(one(low, truth)) <= BIN_COLOURS.index(one(high, truth))


def test_disparity_colours_equal_the_published_map() -> None:
    disparity = np.array([[0.0, 12.5, 50.0, 99.0, 100.0, 150.0]])
    colours = colour_disparity(disparity, 100.0)
    table = np.round(np.array(mpl.colormaps["viridis"].colors) * 255)
    assert colours.shape == (1, 6, 3)
    assert colours.dtype == np.uint8
    for column, entry in enumerate([0, 32, 128, 253, 255, 255]):
        np.testing.assert_allclose(colours[0, column], table[entry], atol=1)


def test_invalid_disparities_are_black() -> None:
    disparity = np.array([[5.0, np.nan, np.inf, 5.0]])
    colours = colour_disparity(disparity, 10.0, np.array([[True, True, True, False]]))
    assert colours[0, 0].any()
    assert not colours[0, 1:].any()


def test_disparity_brightness_rises_with_disparity() -> None:
    ramp = colour_disparity(np.linspace(0, 10, 64)[None], 10.0)[0].astype(float)
    luminance = ramp @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > 0).all()


def test_thicken_fills_the_neighbourhood_and_keeps_valid_pixels() -> None:
    generator = np.random.default_rng(0)
    valid = generator.random((9, 11)) < 0.1
    image = np.where(valid[..., None], generator.integers(1, 256, (9, 11, 3)), 0).astype(np.uint8)
    result = thicken(image, valid)
    for y in range(9):
        for x in range(11):
            block = np.s_[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
            candidates = image[block][valid[block]]
            if valid[y, x]:
                assert (result[y, x] == image[y, x]).all()
            elif len(candidates):
                assert (candidates == result[y, x]).all(axis=1).any()
            else:
                assert not result[y, x].any()
