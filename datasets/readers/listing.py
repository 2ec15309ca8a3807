"""Listings: the pairs that a reader finds in its folders before anything is decoded, and the files that they lack.

Paths are kept as text: a hundred thousand pairs of `Path` objects take three times the memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disparsity.base.errors import DataError
from disparsity.datasets.split import Samples

VIEW_SUFFIXES = (".png", ".webp", ".jpg", ".jpeg", ".ppm", ".pgm", ".bmp", ".tif", ".tiff")
"""Of images, in lower case; the content decides how they are decoded."""

Decode = Callable[[Path], NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Where one stereo pair lies.

    Attributes:
        id: unique within its data set.
        left: path of the left image.
        right: path of the right image.
        disparity: path of the ground truth of the left view, or None where there is none.
        decode: reads `disparity` as ``[H, W]`` float32 pixels; not positive or not finite means unknown.
        mask: path of an 8-bit image in which 255 marks the pixels that count, or None when all known ones do.
        missing: those of the paths at which the reader found no file.

    """

    id: str
    left: str
    right: str
    disparity: str | None = None
    decode: Decode | None = None
    mask: str | None = None
    missing: tuple[str, ...] = ()

    def paths(self) -> tuple[str, ...]:
        """The files of the pair: left, right and, where there are any, disparity and mask."""
        return tuple(path for path in (self.left, self.right, self.disparity, self.mask) if path is not None)

    def files(self) -> tuple[Path, ...]:
        """The same as `Path` objects."""
        return tuple(map(Path, self.paths()))


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The pairs of a data set, complete or not.

    Attributes:
        name: of the reader.
        root: the folder to which the names in a fingerprint are relative.
        pairs: in any order.
        expected: what a folder holds in which there is at least one pair.

    """

    name: str
    root: Path
    pairs: Sequence[Pair]
    expected: str

    def samples(self) -> Samples:
        """The pairs as the lines of a split file name them."""
        return Samples([pair.id for pair in self.pairs], self.name, lambda: [pair.paths() for pair in self.pairs])


def missing_file(pair: Pair, path: str) -> DataError:
    """The error that says which file of a pair is missing."""
    return DataError("the file is missing", where=path, remedy=f"{pair.disparity or f'pair {pair.id}'} needs it")


def check_complete(listing: Listing) -> None:
    """Refuse a listing of which a file is missing.

    Raises:
        DataError: names the first missing file and the pair.

    """
    for pair in listing.pairs:
        if pair.missing:
            raise missing_file(pair, pair.missing[0])


def absent(paths: Iterable[str | None]) -> tuple[str, ...]:
    """Those of the paths at which there is no file, asked one by one: for data sets of a few scenes."""
    return tuple(path for path in paths if path is not None and not os.path.isfile(path))


def names_in(folder: Path) -> list[str]:
    """The sorted names in a folder.

    Raises:
        DataError: the folder does not exist or cannot be read.

    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries)
    except OSError as error:
        raise DataError("the folder cannot be listed", where=folder, found=error.strerror) from error


def files_in(folder: str) -> frozenset[str]:
    """The names of the files in a folder; none where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return frozenset(entry.name for entry in entries if entry.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except OSError as error:
        raise DataError("the folder cannot be listed", where=folder, found=error.strerror) from error


def views_in(folder: str) -> dict[str, str]:
    """The names of the images in a folder by their stems; of `im0.png` and `im0.jpg` the earlier in `VIEW_SUFFIXES`."""
    images = [name for name in files_in(folder) if os.path.splitext(name)[1].lower() in VIEW_SUFFIXES]
    images.sort(key=lambda name: (VIEW_SUFFIXES.index(os.path.splitext(name)[1].lower()), name), reverse=True)
    return {os.path.splitext(name)[0]: name for name in images}


def subfolders(folder: Path) -> list[str]:
    """The sorted names of the folders in a folder; raises as `names_in`."""
    return [name for name in names_in(folder) if (folder / name).is_dir()]
