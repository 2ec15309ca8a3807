"""Middlebury: indoor scenes with dense structured-light ground truth, in the layouts of its editions.

A path is one scene, a folder of scenes, or `MiddEval3` with its `trainingF`, `trainingH`, `trainingQ`. The edition of
each scene follows from the names of its files. Single scenes as OpenCV, scikit-image and the tsukuba pair are
distributed (all files in one folder, named after the scene) are read too. Maps of 8 bits hold value / scale; the scale
follows from edition and width, since every edition halves it when it doubles the size.
Sources: Scharstein, Szeliski, IJCV 2002 (2001 edition: value / 8, tsukuba value / 16; nonocc.png: white not occluded)
and CVPR 2003 (quarter size value / 4); Hirschmueller, Scharstein, CVPR 2007 (2005 and 2006: third size value / 3);
Scharstein et al., GCPR 2014 (PFM, inf unknown; 2021 too); Middlebury v3 SDK (mask0nocc.png: 255 not occluded).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.npz import read_npz
from disparsity.datasets.decoders.pfm import read_pfm
from disparsity.datasets.decoders.scaled_disparity import Widths, read_scaled
from disparsity.datasets.readers.folder import FolderDataset, open_listing
from disparsity.datasets.readers.listing import Decode, Listing, Pair, absent, names_in, subfolders, views_in


@dataclass(frozen=True)
class Layout:
    """How one edition names the files of a scene, `*` being the scene's name, and how it codes disparity.

    Attributes:
        left: left image.
        right: right image.
        disparity: ground truth of the left image.
        code: reads it, or the scale of its gray levels by the width of the image.
        mask: not occluded pixels, where the edition, or a part of it, has them.

    """

    left: str
    right: str
    disparity: str
    code: Decode | Widths
    mask: str | None = None


_2001_2003: Widths = {range(428, 437): 8, range(450, 451): 4, range(900, 901): 2, range(1800, 1801): 1}
_V2: Widths = {range(384, 385): 16, **_2001_2003}
_2005_2006: Widths = {range(400, 471): 3, range(600, 706): 2, range(1200, 1411): 1}
_TSUKUBA: Widths = {range(384, 385): 16}

LAYOUTS: tuple[Layout, ...] = (
    Layout("im0.png", "im1.png", "disp0GT.pfm", read_pfm, "mask0nocc.png"),
    Layout("im0.png", "im1.png", "disp0.pfm", read_pfm, "mask0nocc.png"),
    Layout("im2.png", "im6.png", "disp2.png", _2001_2003, "nonocc.png"),
    Layout("im2.ppm", "im6.ppm", "disp2.pgm", _2001_2003, "nonocc.png"),
    Layout("imL.png", "imR.png", "groundtruth.png", _V2, "nonocc.png"),
    Layout("view1.png", "view5.png", "disp1.png", _2005_2006),
    Layout("*_left.png", "*_right.png", "*_disp.npz", read_npz),
    Layout("*_l.png", "*_r.png", "*_gt.pgm", _TSUKUBA),
    Layout("*L.jpg", "*R.jpg", "*GT.png", _2005_2006),
)


@dataclass(frozen=True, kw_only=True)
class MiddleburySettings:
    """Where the data lies, which pixels count, and the size for the v3 edition.

    Attributes:
        path: a scene, a folder of scenes, or `MiddEval3`.
        ground_truth: `occ` for all known pixels, `noc` for those that both views see (needs a mask), `none` to read
            the pairs only.
        resolution: `F`, `H` or `Q` below `MiddEval3`; None for any other path.
        scale: gray levels per pixel of disparity of 8-bit maps; None takes that of the edition and width.

    """

    path: Path
    ground_truth: Literal["occ", "noc", "none"] = "occ"
    resolution: Literal["F", "H", "Q"] | None = None
    scale: float | None = None


def middlebury(settings: MiddleburySettings) -> FolderDataset:
    """Middlebury as `settings` select it; without ground truth where no scene has any.

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
    pairs: list[Pair] = []
    if settings.ground_truth != "none":
        pairs = [pair for folder in folders for pair in _scenes_in(root, folder, settings)]
    if not pairs:
        pairs = [pair for folder in folders for pair in _unlabelled_in(root, folder)]
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


def _scenes_in(root: Path, folder: Path, settings: MiddleburySettings) -> Iterator[Pair]:
    """The scenes whose disparity file lies in `folder`, each in the first layout that fits it."""
    names = names_in(folder)
    for name, layout, scene in _matches(names, [layout.disparity for layout in LAYOUTS]):
        mask = _mask(folder / name, layout, names) if settings.ground_truth == "noc" else None
        decode = _decoder(folder / name, layout.code, settings.scale)
        yield _pair(root, folder, layout, scene, disparity=f"{folder}/{name}", decode=decode, mask=mask)


def _unlabelled_in(root: Path, folder: Path) -> Iterator[Pair]:
    for _, layout, scene in _matches(names_in(folder), [layout.left for layout in LAYOUTS]):
        yield _pair(root, folder, layout, scene)


def _matches(names: Sequence[str], patterns: Sequence[str]) -> Iterator[tuple[str, Layout, str]]:
    """The names that fit a layout's pattern, with the first layout that each fits and the scene."""
    for name in names:
        for layout, pattern in zip(LAYOUTS, patterns, strict=True):
            scene = _match(name, pattern)
            if scene is not None:
                yield name, layout, scene
                break


def _match(name: str, pattern: str) -> str | None:
    """What `*` stands for when `name` fits `pattern` (empty when the pattern has none), or None.

    The suffix may be in other letters: `disp0.PFM`.
    """
    stem, dot, suffix = name.rpartition(".")
    _, star, tail = pattern.rpartition("*")
    name = f"{stem}{dot}{suffix.lower()}"
    if not star:
        return "" if name == pattern else None
    return name.removesuffix(tail) if name.endswith(tail) and len(name) > len(tail) else None


def _decoder(truth: Path, code: Decode | Widths, scale: float | None) -> Decode:
    if not callable(code):
        return partial(read_scaled, widths=code, scale=scale)
    if scale is not None:
        raise DataError("a scale is for disparity maps of 8 bits", where=truth, found=f"scale={scale:g}")
    return code


def _mask(truth: Path, layout: Layout, names: Sequence[str]) -> str:
    if layout.mask is None or (layout.mask not in names and layout.disparity != "disp0GT.pfm"):
        found = layout.mask or "mask0nocc.png"
        raise DataError(f"ground_truth=noc needs {found}", where=truth, remedy="use ground_truth=occ")
    return str(truth.with_name(layout.mask))


def _pair(
    root: Path,
    folder: Path,
    layout: Layout,
    scene: str,
    *,
    disparity: str | None = None,
    decode: Decode | None = None,
    mask: str | None = None,
) -> Pair:
    inner = folder.relative_to(root).as_posix()
    id = "/".join(part for part in (inner if inner != "." else "", scene) if part)
    views = views_in(str(folder))
    wanted = [name.replace("*", scene) for name in (layout.left, layout.right)]
    left, right = (f"{folder}/{views.get(name.rpartition('.')[0], name)}" for name in wanted)
    return Pair(
        id=id or root.resolve().name,
        left=left,
        right=right,
        disparity=disparity,
        decode=decode,
        mask=mask,
        missing=absent((left, right, mask)),
    )
