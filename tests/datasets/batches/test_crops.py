"""Windows: cropping, padding, and data sets that are asked for a part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from disparsity.base.errors import DataError
from disparsity.datasets.augmentation.settings import MildAugmentationSettings
from disparsity.datasets.batches.crops import crop, crops_of, pad
from disparsity.datasets.batches.stream import TrainingStream, stack
from disparsity.datasets.packed.writer import pack
from disparsity.datasets.sample import Sample
from disparsity.datasets.uri import open_data

TENSORS = ("left", "right", "disparity", "valid")


@pytest.fixture
def kitti(tmp_path, save):
    """Four sparse pairs of three sizes in KITTI layout."""
    rng = np.random.default_rng(1)
    for frame, (rows, columns) in enumerate([(30, 50), (28, 52), (30, 50), (20, 40)]):
        codes = (rng.integers(256, 15 * 256, (rows, columns)) * (rng.random((rows, columns)) < 0.2)).astype(np.uint16)
        save(tmp_path / f"k/disp_occ_0/00000{frame}_10.png", codes)
        for view in ("image_2", "image_3"):
            save(tmp_path / f"k/{view}/00000{frame}_10.png", rng.integers(0, 256, (rows, columns, 3), np.uint8))
    return tmp_path / "k"


def test_padding_repeats_the_border_and_knows_nothing_there(kitti):
    sample = open_data(f"kitti2015:{kitti}")[3]
    padded = pad(sample, 23, 44)
    assert torch.equal(padded.left, torch.from_numpy(np.pad(sample.left.numpy(), ((0, 0), (3, 0), (0, 4)), "edge")))
    assert torch.equal(padded.right[:, 3:, :40], sample.right)
    assert torch.equal(padded.disparity, torch.from_numpy(np.pad(sample.disparity.numpy(), ((3, 0), (0, 4)))))
    assert padded.valid.dtype == torch.bool
    assert int(padded.valid.sum()) == int(sample.valid.sum()) > 0
    assert torch.equal(padded.valid[3:, :40], sample.valid)
    assert pad(sample, 20, 40) is pad(sample, 5, 6) is sample


def test_mixed_sizes_are_filled_up_to_the_largest_or_refused(kitti):
    samples = list(open_data(f"kitti2015:{kitti}"))
    with pytest.raises(DataError, match=r'different sizes in one batch; .* data\.mixed_sizes = "pad"'):
        stack(samples)
    batch = stack(samples, fill=True)
    assert batch.left.shape == (4, 3, 30, 52)
    assert [int(valid.sum()) for valid in batch.valid] == [int(sample.valid.sum()) for sample in samples]
    assert torch.equal(batch.disparity[1, 2:, :], samples[1].disparity)


@pytest.mark.parametrize("window", [None, (24, 45), (16, 16)])
def test_a_stream_of_mixed_sizes(kitti, window):
    data = open_data(f"kitti2015:{kitti}")
    stream = TrainingStream([data], [1.0], 6, window, 0, fill=True)
    for step in range(4):
        batch = stream.next_batch(step)
        assert batch.left.shape[-2:] == (window or batch.left.shape[-2:])
        assert torch.equal(batch.valid, batch.disparity > 0)
    if window == (24, 45):
        with pytest.raises(DataError, match="larger than the pair; found 20x40; expected 24x45"):
            [TrainingStream([data], [1.0], 6, window, 0).next_batch(step) for step in range(9)]


@pytest.mark.parametrize(("window", "fill"), [(None, True), ((16, 20), False), ((24, 45), True)])
def test_packed_data_gives_the_same_batches(kitti, tmp_path, window, fill):
    source = open_data(f"kitti2015:{kitti}")
    pack(source, tmp_path / "x.h5")
    streams = [
        TrainingStream([data], [1.0], 3, window, 4, fill=fill, augmentation=MildAugmentationSettings())
        for data in (source, open_data(f"packed:{tmp_path / 'x.h5'}"))
    ]
    for step in range(6):
        first, second = (stream.next_batch(step) for stream in streams)
        assert first.ids == second.ids
        assert all(torch.equal(getattr(first, name), getattr(second, name)) for name in TENSORS)


class Window:
    """A data set that must not be asked for a whole sample."""

    name = "window"

    def __init__(self, sample: Sample) -> None:
        self._sample = sample

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Sample:
        raise AssertionError("the whole sample was read")

    def __iter__(self):
        return iter(())

    def ids(self) -> list[str]:
        return [self._sample.id]

    def fingerprint(self) -> str:
        return ""

    def size(self, index: int) -> tuple[int, int]:
        height, width = self._sample.disparity.shape
        return height, width

    def window(self, index: int, top: int, left: int, height: int, width: int) -> Sample:
        return crop(self._sample, top, left, height, width)


def test_only_the_window_is_read_where_that_can_be(kitti):
    sample = open_data(f"kitti2015:{kitti}")[0]
    size, take = crops_of(Window(sample), 0, (30, 50))
    assert size == (30, 50)
    assert torch.equal(take(1, 2, 3, 4).left, sample.left[:, 1:4, 2:6])
    assert TrainingStream([Window(sample)], [1.0], 2, (5, 6), 0).next_batch(0).left.shape == (2, 3, 5, 6)
    with pytest.raises(DataError, match="larger than the pair"):
        take(0, 0, 31, 50)
    with pytest.raises(AssertionError, match="whole sample"):
        crops_of(Window(replace(sample)), 0, (31, 50))
