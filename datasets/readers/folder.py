"""Pairs on disk behind the sample contract: listed at once, decoded one by one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from disparsity.base.errors import DataError, SizeError
from disparsity.datasets.decoders.png import read_png8, read_rgb
from disparsity.datasets.readers.listing import Listing, Pair, check_complete
from disparsity.datasets.sample import Sample

NOT_OCCLUDED = 255


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

    def files(self, index: int) -> tuple[Path, ...]:
        """The files that a sample is decoded from."""
        return self._pairs[index].files()

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits of the SHA-256 over the names below the root, and sizes, of all files."""
        digest = hashlib.sha256(self.name.encode())
        for pair in self._pairs:
            for path in pair.files():
                line = f"{path.relative_to(self._root).as_posix()} {path.stat().st_size}\n"
                digest.update(line.encode(errors="surrogateescape"))
        return digest.hexdigest()[:16]


def open_listing(listing: Listing) -> FolderDataset:
    """The data set of a listing.

    Raises:
        DataError: a file is missing, or as `FolderDataset`.

    """
    check_complete(listing)
    return FolderDataset(listing.name, listing.root, listing.pairs, listing.expected)


def decode_pair(pair: Pair) -> Sample:
    """Read the three files of a pair (four with a mask) and check that their sizes agree.

    Raises:
        DataError: a file is missing, damaged or of another size than the left image.

    """
    left_path, right_path, truth_path, *mask_path = pair.files()
    left, right = read_rgb(left_path), read_rgb(right_path)
    disparity = pair.decode(truth_path)
    _check_same_size(left_path, left, right_path, right)
    _check_same_size(left_path, left, truth_path, disparity)
    if disparity.ndim != 2:
        raise DataError("the disparity map has colours", where=truth_path, found=disparity.shape, expected="H, W")
    valid = np.isfinite(disparity) & (disparity > 0)
    for path in mask_path:
        mask = read_png8(path)
        _check_same_size(left_path, left, path, mask)
        valid &= mask == NOT_OCCLUDED
    known = np.where(valid, disparity, np.float32(0))
    return Sample(to_view(left), to_view(right), torch.from_numpy(known), torch.from_numpy(valid), pair.id)


def to_view(image: NDArray[np.uint8]) -> Tensor:
    """``[H, W, 3]`` uint8 to ``[3, H, W]`` float32 in 0..1."""
    return torch.from_numpy(image).permute(2, 0, 1).contiguous().float().div_(255)


def _check_same_size(first: Path, one: NDArray[np.generic], second: Path, other: NDArray[np.generic]) -> None:
    if one.shape[:2] != other.shape[:2]:
        found = "{1}x{0} (width x height)".format(*other.shape[:2])
        expected = "{1}x{0} as {2}".format(*one.shape[:2], first)
        raise SizeError("the sizes of a sample's files differ", where=second, found=found, expected=expected)
