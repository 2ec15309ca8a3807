"""Disparity errors with their definition, mask and aggregation.

For a pixel with ground truth g and estimate d, e = |d - g| in pixels.

* EPE: mean e.
* bad-t: percentage of pixels with e > t (strict).
* D1: percentage with e > 3 and e / g > 0.05. Source: KITTI 2015 devkit, evaluate_scene_flow (Menze and Geiger 2015).
* density: percentage of valid pixels that have a finite estimate.

Valid pixels are those with known ground truth g > 0, and g < max_disparity where a mask limit is given. A pixel
without a finite estimate counts as an error of the whole ground truth. Pooled figures divide sums over all pixels
of all images, as the KITTI devkit does; per-image figures are means of the images' own figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_THRESHOLDS_PX = (1.0, 2.0, 3.0)


@dataclass(frozen=True, kw_only=True)
class ErrorSums:
    """Sums over the valid pixels of one image: everything that the figures are computed from."""

    pixels: int
    absolute_px: float
    over: tuple[int, int, int]
    d1: int
    estimated: int

    def numbers(self) -> list[float]:
        """All of them, each exact in float64."""
        return [self.pixels, self.absolute_px, *self.over, self.d1, self.estimated]

    @staticmethod
    def from_numbers(numbers: Sequence[float]) -> ErrorSums:
        """The inverse of `numbers`."""
        pixels, absolute_px, over_1, over_2, over_3, d1, estimated = numbers
        over = (int(over_1), int(over_2), int(over_3))
        return ErrorSums(pixels=int(pixels), absolute_px=absolute_px, over=over, d1=int(d1), estimated=int(estimated))


def image_errors(
    estimate: NDArray[np.floating],
    truth: NDArray[np.floating],
    valid: NDArray[np.bool_],
    max_disparity: float | None = None,
) -> ErrorSums:
    """Sum the errors of one image.

    Args:
        estimate: ``[H, W]`` in pixels.
        truth: ``[H, W]`` in pixels.
        valid: ``[H, W]`` where the truth is known.
        max_disparity: leave out pixels whose truth is this large or larger.

    """
    mask = valid & np.isfinite(truth) & (truth > 0)
    if max_disparity is not None:
        mask &= truth < max_disparity
    known, guess = truth[mask].astype(np.float64), estimate[mask].astype(np.float64)
    finite = np.isfinite(guess)
    error = np.abs(np.where(finite, guess, 0.0) - known)
    return ErrorSums(
        pixels=int(mask.sum()),
        absolute_px=float(error.sum()),
        over=tuple(int((error > limit).sum()) for limit in _THRESHOLDS_PX),  # type: ignore[arg-type]
        d1=int(((error > 3.0) & (error > 0.05 * known)).sum()),
        estimated=int(finite.sum()),
    )


def pooled(images: Sequence[ErrorSums]) -> dict[str, float | int | None]:
    """Figures over all valid pixels of all images; None where there is no valid pixel."""
    pixels = sum(image.pixels for image in images)

    def percent(counts: Sequence[int]) -> float | None:
        return 100.0 * sum(counts) / pixels if pixels else None

    return {
        "epe_px": sum(image.absolute_px for image in images) / pixels if pixels else None,
        "bad1_percent": percent([image.over[0] for image in images]),
        "bad2_percent": percent([image.over[1] for image in images]),
        "bad3_percent": percent([image.over[2] for image in images]),
        "d1_percent": percent([image.d1 for image in images]),
        "density_percent": percent([image.estimated for image in images]),
        "pixels": pixels,
        "images": len(images),
    }


def per_image_mean(images: Sequence[ErrorSums]) -> dict[str, float | int | None]:
    """Means of the images' own figures; images without a valid pixel are left out, not counted as zero."""
    figures = [pooled([image]) for image in images if image.pixels]
    names = ("epe_px", "bad1_percent", "bad2_percent", "bad3_percent", "d1_percent", "density_percent")
    return {name: _mean([value for row in figures if (value := row[name]) is not None]) for name in names}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
