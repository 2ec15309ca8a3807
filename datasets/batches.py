"""Training batches as a pure function of (seed, step), so that resuming needs nothing but the step number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from disparsity.datasets.augmentation import Jitter, jitter
from disparsity.datasets.cached import CachedDataset, SampleCache
from disparsity.datasets.pair_augmentation import AugmentSettings, draw_zoom
from disparsity.datasets.pair_augmentation import augment as augmented
from disparsity.datasets.pair_geometry import resize
from disparsity.datasets.sample import Sample, StereoDataset
from disparsity.errors import DataError, InputError

_CACHE_BYTES = 3 << 30


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Samples of one size, stacked.

    Attributes:
        left: ``[B, 3, H, W]`` float32 RGB in 0..1.
        right: the same shape.
        disparity: ``[B, H, W]`` in pixels.
        valid: ``[B, H, W]`` bool.
        ids: of the samples.

    """

    left: Tensor
    right: Tensor
    disparity: Tensor
    valid: Tensor
    ids: tuple[str, ...]


def stack(samples: Sequence[Sample]) -> Batch:
    """A batch of samples of one size.

    Raises:
        DataError: the samples differ in size.

    """
    sizes = {tuple(sample.disparity.shape) for sample in samples}
    if len(sizes) > 1:
        raise DataError("pairs of different sizes in one batch", found=sorted(sizes), remedy="set data.crop")
    return Batch(
        left=torch.stack([sample.left for sample in samples]),
        right=torch.stack([sample.right for sample in samples]),
        disparity=torch.stack([sample.disparity for sample in samples]),
        valid=torch.stack([sample.valid for sample in samples]),
        ids=tuple(sample.id for sample in samples),
    )


def crop(sample: Sample, top: int, left: int, height: int, width: int) -> Sample:
    """The same window of both views and the ground truth.

    Raises:
        DataError: the window does not lie inside the sample.

    """
    rows, columns = sample.disparity.shape
    if top < 0 or left < 0 or top + height > rows or left + width > columns:
        raise DataError(
            "the crop is larger than the pair", where=sample.id, found=f"{rows}x{columns}", expected=f"{height}x{width}"
        )
    window = (..., slice(top, top + height), slice(left, left + width))
    return replace(
        sample,
        left=sample.left[window],
        right=sample.right[window],
        disparity=sample.disparity[window],
        valid=sample.valid[window],
    )


class TrainingStream:
    """Endless batches drawn from weighted data sets.

    Args:
        datasets: what is drawn from.
        weights: how often each of them is drawn, relative to each other.
        batch: samples per batch.
        window: height and width of random crops, or None for whole pairs.
        seed: with the step number it determines a batch completely.
        augment: change colours and flip both views upside down at random; or what to change how far.

    Raises:
        InputError: the settings are impossible, or zoom is wanted without a window.

    """

    def __init__(
        self,
        datasets: Sequence[StereoDataset],
        weights: Sequence[float],
        batch: int,
        window: tuple[int, int] | None,
        seed: int,
        *,
        augment: bool | AugmentSettings = False,
    ) -> None:
        if batch < 1 or seed < 0 or len(weights) != len(datasets) or not any(weights) or min(weights) < 0:
            raise InputError(
                "impossible training stream",
                found=f"batch {batch}, seed {seed}, weights {list(weights)}",
                expected="batch >= 1, seed >= 0, a weight per data set",
            )
        cache = SampleCache(_CACHE_BYTES)
        self._datasets = [_cached(data, cache, number) for number, data in enumerate(datasets)]
        self._shares = np.asarray(weights, float) / sum(weights)
        self._batch = batch
        self._window = window
        self._seed = seed
        self._augment = augment
        if isinstance(augment, AugmentSettings) and augment.zoom and window is None:
            raise InputError(
                "zoom needs random crops", found=f"zoom {augment.zoom}", remedy="set data.crop, or zoom to 0"
            )

    def next_batch(self, step: int, count: int | None = None) -> Batch:
        """The batch of a step; `count` overrides the number of samples."""
        rng = np.random.default_rng([self._seed, step])
        return stack([self._draw(rng) for _ in range(count or self._batch)])

    def _draw(self, rng: np.random.Generator) -> Sample:
        data = self._datasets[int(rng.choice(len(self._datasets), p=self._shares))]
        sample = data[int(rng.integers(len(data)))]
        if self._window is not None:
            sample = self._cut(sample, self._window, rng)
        if isinstance(self._augment, AugmentSettings):
            return augmented(sample, self._augment, rng)
        return jitter(sample, Jitter(), rng) if self._augment else sample

    def _cut(self, sample: Sample, window: tuple[int, int], rng: np.random.Generator) -> Sample:
        """A random crop; with zoom, one that becomes the window when it is resized."""
        rows, columns = sample.disparity.shape
        height, width = window
        zooms = isinstance(self._augment, AugmentSettings) and self._augment.zoom > 0
        if zooms and rows >= height and columns >= width:
            assert isinstance(self._augment, AugmentSettings)
            zoom = draw_zoom(self._augment, rng)
            height, width = min(rows, round(height / zoom)), min(columns, round(width / zoom))
        top = int(rng.integers(max(0, rows - height) + 1))
        sample = crop(sample, top, int(rng.integers(max(0, columns - width) + 1)), height, width)
        return sample if (height, width) == window else resize(sample, *window)


def _cached(data: StereoDataset, cache: SampleCache, number: int) -> CachedDataset:
    return data if isinstance(data, CachedDataset) else CachedDataset(data, cache, number)
