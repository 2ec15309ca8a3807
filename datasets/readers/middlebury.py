"""Middlebury: indoor scenes with dense structured-light ground truth, in the layouts of its several editions.

A path is one scene, a folder of scenes, or `MiddEval3` with its `trainingF`, `trainingH`, `trainingQ`. The edition of
each scene is told by the name of its disparity file. Single scenes as OpenCV, scikit-image and the tsukuba pair are
distributed (all files in one folder, named after the scene) are read too.
Sources: Scharstein, Szeliski, CVPR 2003 (quarter size: value / 4, 0 unknown); Scharstein et al., GCPR 2014 (PFM, inf
unknown); Middlebury v3 SDK (mask0nocc.png: 255 not occluded); Hirschmueller, Scharstein, CVPR 2007 (aloe, full size).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.npz import read_npz
from disparsity.datasets.decoders.pfm import read_pfm
from disparsity.datasets.decoders.scaled_disparity import read_scaled
from disparsity.datasets.readers.folder import FolderDataset, open_listing
from disparsity.datasets.readers.listing import Decode, Listing, Pair, absent, names_in, subfolders


@dataclass(frozen=True)
class Layout:
    """How one edition names the files of a scene, `*` being the scene's name, and how it codes disparity."""

    left: str
    right: str
    disparity: str
    decode: Decode
    mask: str | None = None


LAYOUTS: tuple[Layout, ...] = (
    Layout("im0.png", "im1.png", "disp0GT.pfm", read_pfm, "mask0nocc.png"),
    Layout("im0.png", "im1.png", "disp0.pfm", read_pfm),
    Layout("im2.png", "im6.png", "disp2.png", partial(read_scaled, scale=4)),
    Layout("*_left.png", "*_right.png", "*_disp.npz", read_npz),
    Layout("*_l.png", "*_r.png", "*_gt.pgm", partial(read_scaled, scale=16)),
    Layout("*L.jpg", "*R.jpg", "*GT.png", partial(read_scaled, scale=1)),
)


@dataclass(frozen=True, kw_only=True)
class MiddleburySettings:
    """Where the data lies, which pixels count, and the size for the v3 edition.

    Attributes:
        path: a scene, a folder of scenes, or `MiddEval3`.
        ground_truth: `occ` for all known pixels, `noc` for those that both views see (needs `mask0nocc.png`).
        resolution: `F`, `H` or `Q` below `MiddEval3`; None for any other path.

    """

    path: Path
    ground_truth: Literal["occ", "noc"] = "occ"
    resolution: Literal["F", "H", "Q"] | None = None


def middlebury(settings: MiddleburySettings) -> FolderDataset:
    """Middlebury as `settings` select it.

    Raises:
        DataError: no scene is there, a scene lacks an image or its mask, or the resolution does not fit the path.

    """
    return open_listing(list_middlebury(settings))


def list_middlebury(settings: MiddleburySettings) -> Listing:
    """The scenes of `middlebury`, complete or not.

    Raises:
        DataError: the folder is not there, the resolution does not fit it, or an edition has no masks.

    """
    root = _root(settings)
    folders = [root, *(root / name for name in subfolders(root))]
    pairs = [pair for folder in folders for pair in _scenes_in(root, folder, settings.ground_truth == "noc")]
    disparities = ", ".join(layout.disparity for layout in LAYOUTS)
    return Listing(name="middlebury", root=root, pairs=pairs, expected=f"scenes with one of {disparities}")


def _root(settings: MiddleburySettings) -> Path:
    names = [name for name in subfolders(settings.path) if name in ("trainingF", "trainingH", "trainingQ")]
    wanted = f"training{settings.resolution}"
    if settings.resolution is None:
        if names:
            raise DataError("a v3 folder needs a resolution", where=settings.path, remedy="add ?resolution=F, H or Q")
        return settings.path
    if wanted not in names:
        raise DataError("the resolution is not there", where=settings.path, found=names or "none", expected=wanted)
    return settings.path / wanted


def _scenes_in(root: Path, folder: Path, only_seen_twice: bool) -> Iterator[Pair]:
    """The scenes whose disparity file lies in `folder`, each in the first layout that fits it."""
    for name in names_in(folder):
        for layout in LAYOUTS:
            scene = _match(name, layout.disparity)
            if scene is not None:
                inner = folder.relative_to(root).as_posix()
                id = "/".join(part for part in (inner if inner != "." else "", scene) if part)
                yield _pair(folder, layout, scene, id or root.resolve().name, only_seen_twice)
                break


def _match(name: str, pattern: str) -> str | None:
    """What `*` stands for when `name` fits `pattern` (empty when the pattern has none), or None."""
    _, star, tail = pattern.rpartition("*")
    if not star:
        return "" if name == pattern else None
    return name.removesuffix(tail) if name.endswith(tail) and len(name) > len(tail) else None


def _pair(folder: Path, layout: Layout, scene: str, id: str, only_seen_twice: bool) -> Pair:
    truth = folder / layout.disparity.replace("*", scene)
    if only_seen_twice and layout.mask is None:
        raise DataError("ground_truth=noc needs mask0nocc.png", where=truth, remedy="use ground_truth=occ")
    mask = str(folder / layout.mask) if only_seen_twice and layout.mask else None
    left, right = (str(folder / name.replace("*", scene)) for name in (layout.left, layout.right))
    return Pair(
        id=id,
        left=left,
        right=right,
        disparity=str(truth),
        decode=layout.decode,
        mask=mask,
        missing=absent((left, right, mask)),
    )
