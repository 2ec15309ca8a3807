"""Pairs on disk behind the sample contract: listed at once, decoded one by one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from disparsity.datasets.png import read_png8, read_rgb
from disparsity.datasets.sample import Sample
from disparsity.errors import DataError

Decode = Callable[[Path], NDArray[np.float32]]
NOT_OCCLUDED = 255


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Where one stereo pair lies.

    Attributes:
        id: unique within its data set.
        left: the left image.
        right: the right image.
        disparity: the ground truth of the left view.
        decode: reads `disparity` as ``[H, W]`` float32 pixels; not positive or not finite means unknown.
        mask: an 8-bit image in which 255 marks the pixels that count, or None when all known ones do.

    """

    id: str
    left: Path
    right: Path
    disparity: Path
    decode: Decode
    mask: Path | None = None


class FolderDataset:
    """A list of pairs on disk; satisfies `StereoDataset`.

    Raises:
        DataError: the list is empty, an id occurs twice, or (while decoding) a file is damaged or of another size.

    """

    def __init__(self, name: str, root: Path, pairs: Sequence[Pair], expected: str) -> None:
        if not pairs:
            raise DataError(f"no {name} samples", where=root, expected=expected)
        self.name = name
        self._root = root
        self._pairs = sorted(pairs, key=lambda pair: pair.id)
        for first, second in zip(self._pairs, self._pairs[1:], strict=False):
            if first.id == second.id:
                raise DataError(f"two samples have the id {first.id}", where=root, found=second.disparity)

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> Sample:
        return decode_pair(self._pairs[index])

    def __iter__(self) -> Iterator[Sample]:
        return (decode_pair(pair) for pair in self._pairs)

    def ids(self) -> list[str]:
        """The ids of all samples, sorted, without decoding anything."""
        return [pair.id for pair in self._pairs]

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits of the SHA-256 over the names below the root, and sizes, of all files."""
        digest = hashlib.sha256(self.name.encode())
        for pair in self._pairs:
            for path in filter(None, (pair.left, pair.right, pair.disparity, pair.mask)):
                digest.update(f"{path.relative_to(self._root).as_posix()} {path.stat().st_size}\n".encode())
        return digest.hexdigest()[:16]


def decode_pair(pair: Pair) -> Sample:
    """Read the three files of a pair (four with a mask) and check that their sizes agree.

    Raises:
        DataError: a file is missing, damaged or of another size than the left image.

    """
    left, right = read_rgb(pair.left), read_rgb(pair.right)
    disparity = pair.decode(pair.disparity)
    _check_same_size(pair.left, left, pair.right, right)
    _check_same_size(pair.left, left, pair.disparity, disparity)
    if disparity.ndim != 2:
        raise DataError("the disparity map has colours", where=pair.disparity, found=disparity.shape, expected="H, W")
    valid = np.isfinite(disparity) & (disparity > 0)
    if pair.mask is not None:
        mask = read_png8(pair.mask)
        _check_same_size(pair.left, left, pair.mask, mask)
        valid &= mask == NOT_OCCLUDED
    known = np.where(valid, disparity, np.float32(0))
    return Sample(_to_tensor(left), _to_tensor(right), torch.from_numpy(known), torch.from_numpy(valid), pair.id)


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


def subfolders(folder: Path) -> list[str]:
    """The sorted names of the folders in a folder; raises as `names_in`."""
    return [name for name in names_in(folder) if (folder / name).is_dir()]


def require(path: Path, needed_by: Path) -> Path:
    """`path`, if it is a file.

    Raises:
        DataError: it is not; the message names what needs it.

    """
    if not path.is_file():
        raise DataError("the file is missing", where=path, remedy=f"{needed_by} needs it")
    return path


def _check_same_size(first: Path, one: NDArray[np.generic], second: Path, other: NDArray[np.generic]) -> None:
    if one.shape[:2] != other.shape[:2]:
        found = "{1}x{0} (width x height)".format(*other.shape[:2])
        expected = "{1}x{0} as {2}".format(*one.shape[:2], first)
        raise DataError("the sizes of a sample's files differ", where=second, found=found, expected=expected)


def _to_tensor(image: NDArray[np.uint8]) -> Tensor:
    """``[H, W, 3]`` uint8 to ``[3, H, W]`` float32 in 0..1."""
    return torch.from_numpy(image).permute(2, 0, 1).contiguous().float().div_(255)
