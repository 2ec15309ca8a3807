"""Sample contract: one stereo pair, with its ground truth where there is any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from torch import Tensor

from disparsity.base.errors import DataError


@dataclass(frozen=True)
class Sample:
    """One rectified stereo pair.

    Attributes:
        left: ``[3, H, W]`` float32 RGB in 0..1.
        right: ``[3, H, W]`` float32 RGB in 0..1, the same size as `left`.
        disparity: ``[H, W]`` float32 in pixels, positive, of the left view; 0 where `valid` is false.
        valid: ``[H, W]`` bool, true where `disparity` is known: nowhere in a pair without ground truth.
        id: unique within its data set, e.g. ``TEST/A/0000/0006``.

    """

    left: Tensor
    right: Tensor
    disparity: Tensor
    valid: Tensor
    id: str


def below(sample: Sample, limit: float) -> Sample:
    """The sample with ground truth only where disparity is less than `limit` pixels."""
    valid = sample.valid & (sample.disparity < limit)
    return replace(sample, disparity=sample.disparity * valid, valid=valid)


class StereoDataset(Protocol):
    """What every reader gives: random access to samples, their ids, and a fingerprint of what it reads."""

    name: str

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...

    def __iter__(self) -> Iterator[Sample]: ...

    def ids(self) -> list[str]:
        """The ids of all samples, in order, without decoding anything."""
        ...

    def fingerprint(self) -> str:
        """A short hash of the names and sizes of the files (or of the generator's settings)."""
        ...


@runtime_checkable
class WindowedDataset(StereoDataset, Protocol):
    """A data set that reads a part of a sample for less than the whole."""

    def size(self, index: int) -> tuple[int, int]:
        """Height and width of a sample, without reading it."""
        ...

    def window(self, index: int, top: int, left: int, height: int, width: int) -> Sample:
        """A window of a sample, which must lie inside it."""
        ...


def has_ground_truth(dataset: StereoDataset) -> bool:
    """Whether the samples of a data set have ground truth; a data set that does not say so has."""
    answer = getattr(dataset, "has_ground_truth", None)
    return answer is None or bool(answer())


def check_ground_truth(dataset: StereoDataset, where: str, remedy: str | None = None) -> None:
    """Refuse a data set without ground truth where it is needed.

    Raises:
        DataError: there is none.

    """
    if not has_ground_truth(dataset):
        raise DataError("the pairs have no ground truth", where=where, expected="disparity maps", remedy=remedy)


def files_of(dataset: StereoDataset, index: int) -> tuple[Path, ...]:
    """The files that a sample is decoded from; none where it is generated."""
    files = getattr(dataset, "files", None)
    return files(index) if files is not None else ()
