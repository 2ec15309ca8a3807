"""Batches: windows, stacking, and a stream that is a pure function of seed and step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from disparsity.base.errors import DataError, InputError
from disparsity.datasets.augmentation.settings import NO_AUGMENTATION, Augmentation, MildAugmentationSettings
from disparsity.datasets.batches import stream as stream_module
from disparsity.datasets.batches.crops import crop
from disparsity.datasets.batches.stream import TrainingStream, stack
from disparsity.datasets.sample import Sample

ROWS, COLUMNS = 6, 9


class Coded:
    """Every pixel's disparity tells its data set, sample, row and column; the views repeat it."""

    def __init__(self, code: int, count: int) -> None:
        self.name, self._code, self._count = f"coded{code}", code, count
        self.decoded = 0

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        self.decoded += 1
        place = torch.arange(1.0, ROWS * COLUMNS + 1).view(ROWS, COLUMNS)
        disparity = place + 100 * index + 10_000 * self._code
        return Sample(disparity.expand(3, -1, -1), -disparity.expand(3, -1, -1), disparity, place % 3 > 0, f"{index}")

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(self._count))

    def ids(self) -> list[str]:
        return [f"{index}" for index in range(self._count)]

    def fingerprint(self) -> str:
        return self.name


def stream(
    *, seed: int = 0, augmentation: Augmentation = NO_AUGMENTATION, window: tuple[int, int] | None = (4, 5)
) -> TrainingStream:
    return TrainingStream([Coded(0, 3), Coded(1, 5)], [3.0, 1.0], 4, window, seed, augmentation=augmentation)


def test_crop_takes_the_same_window_of_everything():
    sample = crop(Coded(0, 1)[0], 2, 3, 4, 5)
    expected = np.arange(1, ROWS * COLUMNS + 1).reshape(ROWS, COLUMNS)[2:6, 3:8]
    assert np.array_equal(sample.disparity.numpy(), expected)
    assert np.array_equal(sample.left[1].numpy(), expected)
    assert np.array_equal(sample.right[2].numpy(), -expected)
    assert np.array_equal(sample.valid.numpy(), expected % 3 > 0)


@pytest.mark.parametrize(
    "window", [(0, 0, 7, 9), (0, 0, 6, 10), (3, 0, 4, 5), (0, 5, 4, 5), (-1, 0, 4, 5), (0, -1, 4, 5)]
)
def test_a_crop_outside_the_pair_is_refused(window):
    with pytest.raises(DataError, match="found 6x9"):
        crop(Coded(0, 1)[0], *window)


def test_stack_keeps_order_and_refuses_unequal_sizes():
    first, second = Coded(0, 2)
    batch = stack([second, first])
    assert batch.ids == ("1", "0")
    assert batch.left.shape == batch.right.shape == (2, 3, ROWS, COLUMNS)
    assert torch.equal(batch.disparity[1], first.disparity)
    assert torch.equal(batch.valid[0], second.valid)
    with pytest.raises(DataError, match=r"different sizes in one batch; found \[\(4, 5\), \(6, 9\)\]"):
        stack([first, crop(first, 0, 0, 4, 5)])


@pytest.mark.parametrize("augmentation", [NO_AUGMENTATION, MildAugmentationSettings()])
def test_a_batch_depends_on_seed_and_step_only(augmentation):
    walked = stream(augmentation=augmentation)
    walk = [walked.next_batch(step) for step in range(6)]
    for step in (5, 2):
        fresh = stream(augmentation=augmentation).next_batch(step)
        assert fresh.ids == walk[step].ids
        for name in ("left", "right", "disparity", "valid"):
            assert torch.equal(getattr(fresh, name), getattr(walk[step], name))
    assert not torch.equal(walk[0].disparity, walk[1].disparity)
    assert not torch.equal(stream(seed=1).next_batch(0).disparity, stream().next_batch(0).disparity)


def test_windows_are_whole_and_cover_every_position():
    corners = set()
    for step in range(60):
        for window in stream().next_batch(step).disparity.numpy() % 100 - 1:
            row, column = divmod(int(window[0, 0]), COLUMNS)
            rows = np.arange(row, row + 4)[:, None] * COLUMNS
            assert np.array_equal(window, rows + np.arange(column, column + 5))
            corners.add((row, column))
    assert corners == {(row, column) for row in range(3) for column in range(5)}


def test_weights_are_the_shares_of_the_data_sets_whatever_their_sizes():
    codes = Counter(
        int(value) // 10_000 for step in range(250) for value in stream().next_batch(step).disparity[:, 0, 0]
    )
    assert codes[0] / 1000 == pytest.approx(0.75, abs=0.05)


def test_whole_pairs_and_another_number_of_samples():
    assert stream(window=None).next_batch(0).left.shape == (4, 3, ROWS, COLUMNS)
    assert stream(window=None).next_batch(0, count=2).left.shape == (2, 3, ROWS, COLUMNS)


def test_samples_are_decoded_once_while_they_fit(monkeypatch):
    data = Coded(0, 3)
    shared = TrainingStream([data], [1], 4, None, 0)
    for step in range(20):
        shared.next_batch(step)
    assert data.decoded == 3
    monkeypatch.setattr(stream_module, "_CACHE_BYTES", 1)
    uncached = TrainingStream([data], [1], 4, None, 0)
    assert torch.equal(uncached.next_batch(3).left, shared.next_batch(3).left)


@pytest.mark.parametrize(("weights", "batch"), [([1.0], 1), ([0.0, 0.0], 1), ([1.0, -1.0], 1), ([1.0, 1.0], 0)])
def test_impossible_streams_are_refused(weights, batch):
    with pytest.raises(InputError, match="impossible training stream"):
        TrainingStream([Coded(0, 1), Coded(1, 1)], weights, batch, None, 0)


def test_a_window_larger_than_the_pair_is_refused():
    with pytest.raises(DataError, match="larger than the pair"):
        stream(window=(7, 5)).next_batch(0)
