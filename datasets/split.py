"""Split files: which samples of a data set are used, one per line.

A line is an id; a number (`13`), which names the sample whose id is the same number (`000013`), as the lists published
with networks write it; or the paths of the sample's files, `left right` or `left right disparity`, or of one view
alone. Paths may leave out folders in front. Blank lines and lines that start with `#` are skipped. The samples come in
the order of the file.
"""

from __future__ import annotations

import functools
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.limits import read_file
from disparsity.datasets.sample import StereoDataset, files_of
from disparsity.datasets.selection import Selection, select_indices

_SHOWN = 5


class Samples:
    """The samples of a data set as the lines of a split file name them.

    Args:
        ids: of all samples.
        name: of the data set, for messages.
        files: gives the files of each sample: left, right and, where there is one, disparity.

    """

    def __init__(self, ids: Sequence[str], name: str, files: Callable[[], Sequence[Sequence[str]]]) -> None:
        self.ids, self.name = ids, name
        self._list_files = files
        self._index_of = {id: index for index, id in enumerate(ids)}
        self._numbers = {int(id): index for id, index in self._index_of.items() if _is_number(id)}

    def find(self, line: str) -> int | None:
        """The place of the sample that a line names.

        Raises:
            DataError: the line names one of a sample's files, and other files than those beside it.

        """
        if line in self._index_of:
            return self._index_of[line]
        if _is_number(line):
            return self._numbers.get(int(line))
        first, *others = line.split()
        found = self._ending(first.count("/") + 1).get(first, [])
        found = [index for index in found if not others or _agree(self._files[index][0], first)]
        if len(found) != 1:
            return None
        files = self._files[found[0]]
        for listed, read in zip(others, files[1:], strict=False):
            if not _agree(read, listed):
                remedy = "options such as ?pass=final or ?ground_truth=noc choose the files"
                raise DataError("the list names another file", where=read, found=ascii(listed[:80]), remedy=remedy)
        return found[0]

    def example(self, paths: bool) -> str:
        """How a sample can be named, for messages."""
        files = self._files[0] if paths else ()
        return f"ids such as {self.ids[0]}" + (f", or paths such as {files[0]}" if files else "")

    @functools.cached_property
    def _files(self) -> Sequence[Sequence[str]]:
        return self._list_files()

    @functools.lru_cache  # noqa: B019 - lives as long as a split file is read
    def _ending(self, parts: int) -> dict[str, list[int]]:
        """The samples by the last so many parts of the paths of their views."""
        ends: defaultdict[str, list[int]] = defaultdict(list)
        for index, files in enumerate(self._files):
            for path in files[:2]:
                ends["/".join(os.path.abspath(path).split("/")[-parts:])].append(index)
        return ends


def samples_of(dataset: StereoDataset) -> Samples:
    """The samples of a data set, by name."""

    def files() -> list[list[str]]:
        return [[str(path) for path in files_of(dataset, index)] for index in range(len(dataset))]

    return Samples(dataset.ids(), dataset.name, files)


def read_split(path: Path) -> list[str]:
    """The lines of a split file that name samples.

    Raises:
        DataError: the file is missing, not UTF-8, names nothing, names a sample twice, or a line leads out of the data
            set's folder.

    """
    try:
        lines = [line.strip() for line in read_file(path).decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise DataError("the split file is not UTF-8 text", where=path, found=f"byte {error.start}") from error
    names = [line for line in lines if line and not line.startswith("#")]
    if not names:
        raise DataError("the split file names no sample", where=path, expected="one sample per line")
    seen: set[str] = set()
    for name in names:
        parts = [part for word in name.split() for part in PurePosixPath(word).parts]
        if "\0" in name or "\\" in name or name.startswith("/") or ".." in parts:
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
    return select_indices(dataset, resolve(samples_of(dataset), split))


def exclude(dataset: StereoDataset, unused: Path) -> Selection:
    """The samples of `dataset` that the file `unused` does not name, such as FlyingThings3D's list of unused files.

    Lines that name no sample are skipped: such a list is for the whole of a data set.

    Raises:
        DataError: as `read_split`; or no line names a sample, or all samples are named.

    """
    return select_indices(dataset, remaining(samples_of(dataset), unused))


def remaining(samples: Samples, unused: Path) -> list[int]:
    """The places of the samples that `exclude` keeps; raises as it does."""
    dropped = {samples.find(line) for line in read_split(unused)} - {None}
    if not dropped:
        raise DataError(f"no line names a sample of {samples.name}", where=unused, expected=samples.example(paths=True))
    kept = [index for index in range(len(samples.ids)) if index not in dropped]
    if not kept:
        raise DataError(f"all samples of {samples.name} are excluded", where=unused)
    return kept


def resolve(samples: Samples, split: Path) -> list[int]:
    """The places of the samples that a split file names; raises as `select`."""
    names = read_split(split)
    found = [samples.find(name) for name in names]
    unknown = [name for name, index in zip(names, found, strict=True) if index is None]
    if unknown:
        shown = ", ".join(ascii(name[:80]) for name in unknown[:_SHOWN])
        raise DataError(
            f"{len(unknown)} of {len(names)} ids are not in {samples.name}",
            where=split,
            found=shown + (", ..." if len(unknown) > _SHOWN else ""),
            expected=samples.example(paths="/" in unknown[0]),
        )
    indices = [index for index in found if index is not None]
    if len(set(indices)) < len(indices):
        raise DataError("two lines name the same sample", where=split)
    return indices


def _agree(read: str, listed: str) -> bool:
    """Whether a path in a list is that of a file that is read, perhaps without folders in front."""
    return f"/{os.path.abspath(read)}".endswith(f"/{listed}")


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 19
