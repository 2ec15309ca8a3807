"""Explicit split files: which samples of a data set are used, one id per line.

Blank lines and lines that start with `#` are skipped. A line of digits (`13`) also names the sample whose id is the
same number (`000013`), as the lists published with networks write it. The samples come in the order of the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.limits import read_file
from disparsity.datasets.sample import Sample, StereoDataset, WindowedDataset, files_of

_SHOWN = 5


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


def read_split(path: Path) -> list[str]:
    """The lines of a split file that name samples.

    Raises:
        DataError: the file is missing, not UTF-8, names nothing, names a sample twice, or a line is no id but a way
            out of the data set's folder.

    """
    try:
        lines = [line.strip() for line in read_file(path).decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise DataError("the split file is not UTF-8 text", where=path, found=f"byte {error.start}") from error
    names = [line for line in lines if line and not line.startswith("#")]
    if not names:
        raise DataError("the split file names no sample", where=path, expected="one id per line")
    seen: set[str] = set()
    for name in names:
        if "\0" in name or "\\" in name or name.startswith("/") or ".." in PurePosixPath(name).parts:
            raise DataError("not an id", where=path, found=ascii(name[:80]), expected="an id such as 000013")
        if name in seen:
            raise DataError("a sample is named twice", where=path, found=ascii(name[:80]))
        seen.add(name)
    return names


def select(dataset: StereoDataset, split: Path) -> Selection:
    """The samples of `dataset` that the file `split` names, in its order.

    Raises:
        DataError: as `read_split`; or a line names no sample, or two lines name the same one.

    """
    indices = resolve(dataset.ids(), dataset.name, split)
    return WindowedSelection(dataset, indices) if isinstance(dataset, WindowedDataset) else Selection(dataset, indices)


def resolve(ids: Sequence[str], name: str, split: Path) -> list[int]:
    """Where the samples that a split file names stand among `ids`, those of the data set `name`; raises as `select`."""
    index_of = {id: index for index, id in enumerate(ids)}
    numbers = {int(id): index for id, index in index_of.items() if _is_number(id)}
    names = read_split(split)
    found = [index_of.get(name, numbers.get(int(name)) if _is_number(name) else None) for name in names]
    unknown = [name for name, index in zip(names, found, strict=True) if index is None]
    if unknown:
        shown = ", ".join(ascii(name[:80]) for name in unknown[:_SHOWN])
        raise DataError(
            f"{len(unknown)} of {len(names)} ids are not in {name}",
            where=split,
            found=shown + (", ..." if len(unknown) > _SHOWN else ""),
            expected=f"ids such as {ids[0]}",
        )
    indices = [index for index in found if index is not None]
    if len(set(indices)) < len(indices):
        raise DataError("two lines name the same sample", where=split)
    return indices


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 19
