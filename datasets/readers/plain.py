"""Plain pairs: a folder of images by patterns of names, or a list with the two or three paths of each pair.

Disparity maps are read by their suffix: PFM and npz as they are, 16-bit PNG as value / 256 as KITTI's, 8-bit PNG and
PGM as value / scale, where the scale has to be given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disparsity.base.errors import BitDepthError, DataError, InputError
from disparsity.datasets.decoders.images import KITTI_SCALE, read_png8, read_png16
from disparsity.datasets.decoders.npz import read_npz
from disparsity.datasets.decoders.pfm import read_pfm
from disparsity.datasets.readers.folder import FolderDataset, open_listing
from disparsity.datasets.readers.listing import VIEW_SUFFIXES, Listing, Pair, absent
from disparsity.datasets.split import read_split

_DISPARITY_SUFFIXES = (".pfm", ".npz", ".png", ".pgm")


@dataclass(frozen=True, kw_only=True)
class PlainSettings:
    """Where the images lie; in a pattern, one `*` stands for the common part of the names of a pair.

    Attributes:
        path: the folder.
        left: pattern of the left images below it.
        right: pattern of the right images.
        disparity: pattern of the ground truth of the left images; where no file fits, the pairs have none.
        scale: gray levels per pixel of disparity in PNG and PGM maps; None takes 256 for 16 bits.

    """

    path: Path
    left: str = "left/*"
    right: str = "right/*"
    disparity: str = "disparity/*"
    scale: float | None = None


@dataclass(frozen=True, kw_only=True)
class ListSettings:
    """A list of pairs, as networks' repositories publish them: `left right` or `left right disparity` in every line.

    Attributes:
        path: the list.
        root: the folder to which its paths are relative; None takes the list's own.
        scale: as in `PlainSettings`.

    """

    path: Path
    root: Path | None = None
    scale: float | None = None


def list_plain(settings: PlainSettings) -> Listing:
    """The pairs of a folder, complete or not.

    Raises:
        InputError: a pattern has not exactly one `*`.

    """
    left = _named(settings.path, settings.left, VIEW_SUFFIXES)
    right = _named(settings.path, settings.right, VIEW_SUFFIXES)
    truth = _named(settings.path, settings.disparity, _DISPARITY_SUFFIXES)
    root = settings.path
    pairs = [
        _pair(
            id,
            left.get(id, str(root / settings.left.replace("*", id))),
            right.get(id, str(root / settings.right.replace("*", id))),
            truth.get(id, str(root / settings.disparity.replace("*", id))) if truth else None,
            settings.scale,
        )
        for id in sorted(truth or left | right)
    ]
    return Listing(name="folder", root=root, pairs=pairs, expected=f"images {settings.left} and {settings.right}")


def open_plain(settings: PlainSettings) -> FolderDataset:
    """The pairs of a folder; raises as `list_plain`, or DataError where there is none or a file is missing."""
    return open_listing(list_plain(settings))


def list_listed(settings: ListSettings) -> Listing:
    """The pairs of a list, complete or not.

    Raises:
        DataError: the list is missing, a line has not two or three paths, or some lines have a disparity and some none.

    """
    root = settings.root or settings.path.parent
    lines = [line.split() for line in read_split(settings.path)]
    for line in lines:
        if len(line) not in (2, 3) or len(line) != len(lines[0]):
            raise DataError(
                "not a list of pairs",
                where=settings.path,
                found=ascii(" ".join(line)[:80]),
                expected="left right, or left right disparity, in every line",
            )
    pairs = []
    for line in lines:
        left, right, *truth = (str(root / name) for name in line)
        id = Path(line[0]).with_suffix("").as_posix()
        pairs.append(_pair(id, left, right, truth[0] if truth else None, settings.scale))
    return Listing(name="list", root=root, pairs=pairs, expected="a pair per line")


def open_listed(settings: ListSettings) -> FolderDataset:
    """The pairs of a list; raises as `list_listed`, or DataError where a file is missing."""
    return open_listing(list_listed(settings))


def read_disparity(path: Path, scale: float | None = None) -> NDArray[np.float32]:
    """Read a disparity map ``[H, W]`` in pixels by the suffix of its name.

    Raises:
        DataError: the suffix is unknown, the file is damaged, or it has 8 bits and no scale is given.

    """
    suffix = path.suffix.lower()
    if suffix not in _DISPARITY_SUFFIXES:
        raise DataError("unknown kind of disparity map", where=path, expected=", ".join(_DISPARITY_SUFFIXES))
    if suffix in (".pfm", ".npz"):
        return read_pfm(path) if suffix == ".pfm" else read_npz(path)
    try:
        return read_png16(path).astype(np.float32) / np.float32(scale or KITTI_SCALE)
    except BitDepthError:
        values = read_png8(path)
    if scale is None:
        remedy = "add ?scale=GRAY_LEVELS_PER_PIXEL"
        raise DataError("the scale of this disparity map is not known", where=path, found="8 bits", remedy=remedy)
    return values.astype(np.float32) / np.float32(scale)


def _named(root: Path, pattern: str, suffixes: tuple[str, ...]) -> dict[str, str]:
    """The files that fit a pattern, by what its `*` stands for, without a suffix."""
    if pattern.count("*") != 1:
        raise InputError("not a pattern of names", found=repr(pattern), expected="one *, e.g. left/*.png")
    before, _, after = pattern.partition("*")
    return dict(_files(root, pattern, len(before), after, suffixes))


def _files(root: Path, pattern: str, start: int, after: str, suffixes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for path in sorted(root.glob(pattern)):
        if path.suffix.lower() in suffixes and path.is_file():
            name = path.relative_to(root).as_posix()[start:]
            yield name.removesuffix(after or path.suffix), str(path)


def _pair(id: str, left: str, right: str, truth: str | None, scale: float | None) -> Pair:
    return Pair(
        id=id,
        left=left,
        right=right,
        disparity=truth,
        decode=partial(read_disparity, scale=scale) if truth else None,
        missing=absent((left, right, truth)),
    )
