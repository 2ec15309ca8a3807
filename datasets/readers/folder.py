"""Data set of pairs on disk: listed at once, decoded one by one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from disparsity.base.errors import DataError, SizeError
from disparsity.datasets.decoders.images import read_mask, read_rgb
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

    def has_ground_truth(self) -> bool:
        """Whether every sample has ground truth; else none has."""
        return self._pairs[0].disparity is not None

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
    """Read the files of a pair and check that their sizes agree; without ground truth, no pixel is valid.

    Raises:
        DataError: a file is missing, damaged or of another size than the left image.

    """
    left, right = read_rgb(Path(pair.left)), read_rgb(Path(pair.right))
    _check_same_size(pair.left, left, pair.right, right)
    if pair.disparity is None:
        known = np.zeros(left.shape[:2], np.float32)
        return Sample(to_view(left), to_view(right), torch.from_numpy(known), torch.from_numpy(known > 0), pair.id)
    disparity, valid = _ground_truth(pair, left)
    known = np.where(valid, disparity, np.float32(0))
    return Sample(to_view(left), to_view(right), torch.from_numpy(known), torch.from_numpy(valid), pair.id)


def _ground_truth(pair: Pair, left: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Disparity ``[H, W]`` and where it is known and counts."""
    assert pair.disparity is not None
    assert pair.decode is not None
    disparity = pair.decode(Path(pair.disparity))
    _check_same_size(pair.left, left, pair.disparity, disparity)
    if disparity.ndim != 2:
        raise DataError("the disparity map has colours", where=pair.disparity, found=disparity.shape, expected="H, W")
    valid = np.isfinite(disparity) & (disparity > 0)
    if pair.mask is not None:
        mask = read_mask(Path(pair.mask))
        _check_same_size(pair.left, left, pair.mask, mask)
        valid &= mask == NOT_OCCLUDED
    return disparity, valid


def to_view(image: NDArray[np.uint8]) -> Tensor:
    """``[H, W, 3]`` uint8 to ``[3, H, W]`` float32 in 0..1."""
    return torch.from_numpy(image).permute(2, 0, 1).contiguous().float().div_(255)


def _check_same_size(first: str, one: NDArray[np.generic], second: str, other: NDArray[np.generic]) -> None:
    if one.shape[:2] != other.shape[:2]:
        found = "{1}x{0} (width x height)".format(*other.shape[:2])
        expected = "{1}x{0} as {2}".format(*one.shape[:2], first)
        raise SizeError("the sizes of a sample's files differ", where=second, found=found, expected=expected)
