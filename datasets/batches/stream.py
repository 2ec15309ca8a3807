"""Training batches: a pure function of (seed, step), so that resuming needs nothing but the step number."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from disparsity.base.errors import DataError, InputError
from disparsity.datasets.augmentation.geometry import resize
from disparsity.datasets.augmentation.pair import augment, draw_zoom
from disparsity.datasets.augmentation.settings import (
    NO_AUGMENTATION,
    Augmentation,
    StrongAugmentationSettings,
)
from disparsity.datasets.augmentation.simple import jitter
from disparsity.datasets.batches.cache import CachedDataset, SampleCache
from disparsity.datasets.batches.crops import crops_of, pad
from disparsity.datasets.sample import Sample, StereoDataset, WindowedDataset, below

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

    def to(self, device: torch.device) -> Batch:
        """The same samples on a device; to a GPU by a copy from pinned memory that nothing waits for."""
        if device.type == "cpu":
            return self
        pinned = device.type == "cuda"

        def moved(tensor: Tensor) -> Tensor:
            return (tensor.pin_memory() if pinned else tensor).to(device, non_blocking=pinned)

        return self._mapped(moved, self.ids)

    def split(self, count: int) -> list[Batch]:
        """`count` batches of equally many of the samples, in order.

        Raises:
            InputError: they cannot be shared evenly.

        """
        if len(self.ids) % count:
            raise InputError("a batch cannot be shared evenly", found=f"{len(self.ids)} pairs, {count} parts")
        size = len(self.ids) // count
        chosen = [slice(first, first + size) for first in range(0, len(self.ids), size)]
        return [self._mapped(operator.itemgetter(part), self.ids[part]) for part in chosen]

    def _mapped(self, function: Callable[[Tensor], Tensor], ids: tuple[str, ...]) -> Batch:
        return Batch(
            left=function(self.left),
            right=function(self.right),
            disparity=function(self.disparity),
            valid=function(self.valid),
            ids=ids,
        )


def stack(samples: Sequence[Sample], *, fill: bool = False) -> Batch:
    """A batch of samples of one size; with `fill`, of the largest height and width among them.

    Raises:
        DataError: the samples differ in size, and are not to be filled up.

    """
    sizes = {tuple(sample.disparity.shape) for sample in samples}
    if len(sizes) > 1:
        if not fill:
            remedy = 'set data.crop, or data.mixed_sizes = "pad"'
            raise DataError("pairs of different sizes in one batch", found=sorted(sizes), remedy=remedy)
        height, width = (max(size[axis] for size in sizes) for axis in (0, 1))
        samples = [pad(sample, height, width) for sample in samples]
    return Batch(
        left=torch.stack([sample.left for sample in samples]),
        right=torch.stack([sample.right for sample in samples]),
        disparity=torch.stack([sample.disparity for sample in samples]),
        valid=torch.stack([sample.valid for sample in samples]),
        ids=tuple(sample.id for sample in samples),
    )


class TrainingStream:
    """Endless batches, sampled at random from weighted data sets.

    Args:
        datasets: sources of the samples.
        weights: how often each of them is sampled, relative to each other.
        batch: samples per batch.
        window: height and width of random crops, or None for whole pairs.
        seed: with the step number it determines a batch completely.
        augmentation: random changes of the samples.
        fill: pad pairs that are smaller than the window, or than others in their batch, instead of refusing them.
        part: number of this part, from 0, and number of equal parts of every batch: one per process of a run.
        max_disparity: ground truth of so many pixels or more counts as unknown; None keeps all.

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
        augmentation: Augmentation = NO_AUGMENTATION,
        fill: bool = False,
        part: tuple[int, int] = (0, 1),
        max_disparity: float | None = None,
    ) -> None:
        if batch < 1 or seed < 0 or len(weights) != len(datasets) or not any(weights) or min(weights) < 0:
            raise InputError(
                "impossible training stream",
                found=f"batch {batch}, seed {seed}, weights {list(weights)}",
                expected="batch >= 1, seed >= 0, a weight per data set",
            )
        if batch % part[1]:
            raise InputError("a batch cannot be shared evenly", found=f"{batch} pairs, {part[1]} processes")
        cache = SampleCache(_CACHE_BYTES)
        self._datasets = [_cached(data, cache, number, window) for number, data in enumerate(datasets)]
        self._shares = np.asarray(weights, float) / sum(weights)
        self._batch = batch
        self._window = window
        self._seed = seed
        self._augmentation = augmentation
        self._fill = fill
        self._part = part
        self._max_disparity = max_disparity
        if isinstance(augmentation, StrongAugmentationSettings) and augmentation.zoom and window is None:
            raise InputError(
                "zoom needs random crops", found=f"zoom {augmentation.zoom}", remedy="set data.crop, or zoom to 0"
            )

    def next_batch(self, step: int, count: int | None = None) -> Batch:
        """The stream's part of the batch of a step; or `count` samples, the same in every part."""
        return stack([self._draw(step, place) for place in self._places(count)], fill=self._fill)

    def ids_of(self, step: int) -> tuple[str, ...]:
        """The ids of the samples of `next_batch(step)`, without reading them."""
        drawn = [self._choose(step, place) for place in self._places()]
        return tuple(data.ids()[index] for _, data, index in drawn)

    def _places(self, count: int | None = None) -> range:
        number, parts = self._part if count is None else (0, 1)
        size = (count or self._batch) // parts
        return range(number * size, (number + 1) * size)

    def _choose(self, step: int, place: int) -> tuple[np.random.Generator, StereoDataset, int]:
        """The random numbers of a sample, its data set and its place in it."""
        rng = np.random.default_rng([self._seed, step, place])
        data = self._datasets[int(rng.choice(len(self._datasets), p=self._shares))]
        return rng, data, int(rng.integers(len(data)))

    def _draw(self, step: int, place: int) -> Sample:
        rng, data, index = self._choose(step, place)
        sample = data[index] if self._window is None else self._cut(data, index, self._window, rng)
        if isinstance(self._augmentation, StrongAugmentationSettings):
            sample = augment(sample, self._augmentation, rng)
        elif self._augmentation.name == "mild":
            sample = jitter(sample, self._augmentation, rng)
        return sample if self._max_disparity is None else below(sample, self._max_disparity)

    def _cut(self, data: StereoDataset, index: int, window: tuple[int, int], rng: np.random.Generator) -> Sample:
        """A random crop; with zoom, one that becomes the window when it is resized."""
        height, width = window
        (rows, columns), take = crops_of(data, index, window if self._fill else None)
        strong = self._augmentation if isinstance(self._augmentation, StrongAugmentationSettings) else None
        if strong is not None and strong.zoom > 0 and rows >= height and columns >= width:
            zoom = draw_zoom(strong, rng)
            height, width = min(rows, round(height / zoom)), min(columns, round(width / zoom))
        top = int(rng.integers(max(0, rows - height) + 1))
        sample = take(top, int(rng.integers(max(0, columns - width) + 1)), height, width)
        return sample if (height, width) == window else resize(sample, *window)


def _cached(data: StereoDataset, cache: SampleCache, number: int, window: tuple[int, int] | None) -> StereoDataset:
    """The data set with a cache of whole samples, unless it has one, or windows of it are read, which is faster."""
    if isinstance(data, CachedDataset) or (window is not None and isinstance(data, WindowedDataset)):
        return data
    return CachedDataset(data, cache, number)
