"""Crops of samples: cut out, read directly where a data set can, and padded where a pair is too small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from torch import Tensor
from torch.nn import functional as F

from disparsity.base.errors import DataError
from disparsity.datasets.sample import Sample, StereoDataset, WindowedDataset

Crop = Callable[[int, int, int, int], Sample]
"""From top, left, height and width to that window of one sample."""


def crop(sample: Sample, top: int, left: int, height: int, width: int) -> Sample:
    """The same window of both views and the ground truth.

    Raises:
        DataError: the window does not lie inside the sample.

    """
    rows, columns = sample.disparity.shape
    _check_inside(sample.id, (rows, columns), top, left, height, width)
    window = (..., slice(top, top + height), slice(left, left + width))
    return replace(
        sample,
        left=sample.left[window],
        right=sample.right[window],
        disparity=sample.disparity[window],
        valid=sample.valid[window],
    )


def pad(sample: Sample, height: int, width: int) -> Sample:
    """The sample with at least `height` rows and `width` columns, more at the top and on the right as networks pad.

    The border pixels of the views are repeated; the ground truth there is unknown: no loss and no metric sees it.
    """
    rows, columns = sample.disparity.shape
    above, beyond = max(0, height - rows), max(0, width - columns)
    if not above and not beyond:
        return sample

    def repeated(view: Tensor) -> Tensor:
        return F.pad(view[None], (0, beyond, above, 0), mode="replicate")[0]

    return replace(
        sample,
        left=repeated(sample.left),
        right=repeated(sample.right),
        disparity=F.pad(sample.disparity, (0, beyond, above, 0)),
        valid=F.pad(sample.valid, (0, beyond, above, 0)),
    )


def crops_of(data: StereoDataset, index: int, least: tuple[int, int] | None = None) -> tuple[tuple[int, int], Crop]:
    """Height and width of a sample, and a function that crops it; both after padding to at least `least`.

    A data set that reads windows is asked for them; of any other the whole sample is decoded, once.
    """
    if isinstance(data, WindowedDataset):
        size = data.size(index)
        if least is None or (size[0] >= least[0] and size[1] >= least[1]):
            return size, partial(_read, data, index)
    sample = data[index] if least is None else pad(data[index], *least)
    rows, columns = sample.disparity.shape
    return (rows, columns), partial(crop, sample)


def _read(data: WindowedDataset, index: int, top: int, left: int, height: int, width: int) -> Sample:
    _check_inside(f"{data.name} {index}", data.size(index), top, left, height, width)
    return data.window(index, top, left, height, width)


def _check_inside(name: str, size: tuple[int, int], top: int, left: int, height: int, width: int) -> None:
    rows, columns = size
    if top < 0 or left < 0 or top + height > rows or left + width > columns:
        raise DataError(
            "the crop is larger than the pair",
            where=name,
            found=f"{rows}x{columns}",
            expected=f"{height}x{width}",
            remedy='set a smaller data.crop, or data.mixed_sizes = "pad"',
        )
