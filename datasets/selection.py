"""Selections: some samples of another data set, in a given order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from disparsity.datasets.sample import Sample, StereoDataset, WindowedDataset, files_of, has_ground_truth


class Selection:
    """Some samples of another data set, in a given order; satisfies `StereoDataset`."""

    def __init__(self, source: StereoDataset, indices: Sequence[int]) -> None:
        self.name = source.name
        self._source = source
        self._indices = tuple(indices)

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Sample:
        return self._source[self._indices[index]]

    def __iter__(self) -> Iterator[Sample]:
        return (self._source[index] for index in self._indices)

    def ids(self) -> list[str]:
        """The ids of the selected samples, in order, without decoding anything."""
        ids = self._source.ids()
        return [ids[index] for index in self._indices]

    def files(self, index: int) -> tuple[Path, ...]:
        """The files that a sample is decoded from."""
        return files_of(self._source, self._indices[index])

    def has_ground_truth(self) -> bool:
        """That of the source."""
        return has_ground_truth(self._source)

    def fingerprint(self) -> str:
        """A hash of the source's fingerprint and the selected ids."""
        content = "\n".join([self._source.fingerprint(), *self.ids()])
        return hashlib.sha256(content.encode()).hexdigest()[:16]


class WindowedSelection(Selection):
    """Some samples of a data set that reads windows; satisfies `WindowedDataset`."""

    def __init__(self, source: WindowedDataset, indices: Sequence[int]) -> None:
        super().__init__(source, indices)
        self._windows = source

    def size(self, index: int) -> tuple[int, int]:
        """Height and width of a sample, without reading it."""
        return self._windows.size(self._indices[index])

    def window(self, index: int, top: int, left: int, height: int, width: int) -> Sample:
        """A window of a sample, which must lie inside it."""
        return self._windows.window(self._indices[index], top, left, height, width)


def select_indices(dataset: StereoDataset, indices: Sequence[int]) -> Selection:
    """The samples at these places, read by windows where the data set can."""
    return WindowedSelection(dataset, indices) if isinstance(dataset, WindowedDataset) else Selection(dataset, indices)
