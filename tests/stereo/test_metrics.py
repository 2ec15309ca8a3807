"""Metrics against pixels computed by hand, and the law that ties pooled figures to single images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disparsity.stereo.metrics import ErrorSums, image_errors, per_image_mean, pooled

FIGURES = ("epe_px", "bad1_percent", "bad2_percent", "bad3_percent", "d1_percent", "density_percent")


def errors(estimate: list[float], truth: list[float], **limits: float) -> ErrorSums:
    known = np.array([truth])
    return image_errors(np.array([estimate]), known, known > 0, **limits)


def test_every_figure_of_five_pixels_by_hand() -> None:
    # errors 0, 1.5, 2.5, 4, 4; the last is 4 % of its truth, so it is bad-3 and not D1
    sums = errors([10.0, 11.5, 12.5, 24.0, 104.0], [10.0, 10.0, 10.0, 20.0, 100.0])
    figures = pooled([sums])
    assert figures["epe_px"] == pytest.approx(12.0 / 5)
    assert figures["bad1_percent"] == pytest.approx(80.0)
    assert figures["bad2_percent"] == pytest.approx(60.0)
    assert figures["bad3_percent"] == pytest.approx(40.0)
    assert figures["d1_percent"] == pytest.approx(20.0)
    assert figures["density_percent"] == pytest.approx(100.0)
    assert (figures["pixels"], figures["images"]) == (5, 1)


@pytest.mark.parametrize(("error", "bad"), [(1.0, (0, 0, 0)), (2.0, (1, 0, 0)), (3.0, (1, 1, 0)), (3.25, (1, 1, 1))])
def test_thresholds_are_strict(error: float, bad: tuple[int, int, int]) -> None:
    assert errors([16.0 + error], [16.0]).over == bad


@pytest.mark.parametrize(
    ("error", "truth", "counted"),
    [
        (3.0, 8.0, 0),  # exactly 3 px
        (4.0, 80.0, 0),  # exactly 5 %
        (4.0, 79.0, 1),
        (2.0, 4.0, 0),  # 50 % but not 3 px
        (4.0, 200.0, 0),  # 4 px but 2 %
    ],
)
def test_d1_needs_both_clauses(error: float, truth: float, counted: int) -> None:
    assert errors([truth + error], [truth]).d1 == counted


def test_mask_leaves_out_unknown_zero_negative_infinite_and_too_large_truth() -> None:
    truth = np.array([[5.0, 0.0, -3.0, np.inf, np.nan, 192.0, 191.5, 7.0]])
    valid = np.array([[True, True, True, True, True, True, True, False]])
    sums = image_errors(np.zeros_like(truth), truth, valid, max_disparity=192.0)
    assert sums.pixels == 2
    assert sums.absolute_px == 5.0 + 191.5
    assert image_errors(np.zeros_like(truth), truth, valid).pixels == 3


@pytest.mark.parametrize("gap", [np.nan, np.inf, -np.inf])
def test_pixel_without_estimate_costs_the_whole_truth_and_lowers_density(gap: float) -> None:
    figures = pooled([errors([gap, 10.0], [10.0, 10.0])])
    assert figures["epe_px"] == 5.0
    assert figures["bad3_percent"] == figures["d1_percent"] == figures["density_percent"] == 50.0


def test_no_valid_pixel_is_undefined_not_zero() -> None:
    empty = errors([1.0], [0.0])
    for figures in (pooled([empty]), pooled([]), per_image_mean([empty]), per_image_mean([])):
        assert all(figures[name] is None for name in FIGURES)
    assert pooled([empty])["pixels"] == 0


def test_pooled_weights_by_pixels_and_per_image_does_not() -> None:
    small, large = errors([14.0], [10.0]), errors([10.0] * 3, [10.0] * 3)
    assert pooled([small, large])["epe_px"] == 1.0
    assert per_image_mean([small, large])["epe_px"] == 2.0
    assert per_image_mean([small, large])["bad3_percent"] == 50.0
    assert pooled([small, large])["bad3_percent"] == 25.0


def test_per_image_mean_leaves_out_images_without_pixels() -> None:
    assert per_image_mean([errors([14.0], [10.0]), errors([0.0], [0.0])])["epe_px"] == 4.0


pixels = st.lists(st.tuples(st.floats(0, 300, width=32), st.floats(0, 300, width=32)), min_size=1, max_size=20)


@given(st.lists(pixels, min_size=1, max_size=4))
def test_pooling_images_equals_scoring_their_concatenation(images: list[list[tuple[float, float]]]) -> None:
    parts = [errors([d for d, _ in image], [g for _, g in image]) for image in images]
    together = [pixel for image in images for pixel in image]
    whole = pooled([errors([d for d, _ in together], [g for _, g in together])])
    split = pooled(parts)
    weights = [part.pixels for part in parts]
    for name in FIGURES:
        if whole[name] is None:
            assert split[name] is None
            continue
        assert split[name] == pytest.approx(whole[name], rel=1e-9, abs=1e-9)
        own = [pooled([part])[name] or 0.0 for part in parts]
        assert split[name] == pytest.approx(np.average(own, weights=weights), rel=1e-9, abs=1e-9)
