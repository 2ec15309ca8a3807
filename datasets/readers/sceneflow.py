"""SceneFlow: FlyingThings3D, its subset archive, Monkaa and Driving.

Layout: `disparity/<scene>/left/NNNN.pfm` beside `frames_{clean,final}pass/<scene>/{left,right}/NNNN.{png,webp}`, where
`<scene>` is `TRAIN|TEST/A|B|C/NNNN` (FlyingThings3D), a name (Monkaa) or `15mm_focallength/scene_forwards/fast` and
the like (Driving); or, for the subset archive, `{train,val}/disparity/left` and `{train,val}/image_{clean,final}`.
A path that holds `FlyingThings3D`, `Monkaa` or `Driving` gives all that are there.
Source: Mayer et al., CVPR 2016. The subset archive stores disparities negative: the absolute value is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.pfm import read_pfm
from disparsity.datasets.readers.folder import FolderDataset, open_listing
from disparsity.datasets.readers.listing import Listing, Pair, files_in, names_in

MEMBERS = ("FlyingThings3D", "Monkaa", "Driving")
_IMAGE_SUFFIXES = (".png", ".webp")
_EXPECTED = "FlyingThings3D, Monkaa, Driving, or a folder with `disparity` and `frames_cleanpass` or `frames_finalpass`"


@dataclass(frozen=True, kw_only=True)
class SceneFlowSettings:
    """Where the data lies and which part of it is read.

    Attributes:
        path: the folder of one member, of the subset archive, or of several members.
        subset: `test` is FlyingThings3D's TEST (`val` of the subset archive), `train` everything else.
        rendering: `clean` or `final` (with blur and depth of field).

    """

    path: Path
    subset: Literal["train", "test", "all"] = "all"
    rendering: Literal["clean", "final"] = "clean"


@dataclass(frozen=True)
class _Tree:
    """One tree of disparities with its tree of images; `prefix` starts the ids and decides train or test."""

    prefix: str
    disparity: Path
    images: Path


def sceneflow(settings: SceneFlowSettings) -> FolderDataset:
    """SceneFlow as `settings` select it.

    Raises:
        DataError: the folders are not there, hold no frame of the subset, or lack a frame's image.

    """
    return open_listing(list_sceneflow(settings))


def list_sceneflow(settings: SceneFlowSettings) -> Listing:
    """The pairs of `sceneflow`, complete or not.

    Raises:
        DataError: the folders are not there.

    """
    pairs = [
        pair
        for tree in _trees(settings)
        for scene in _scenes(tree.disparity)
        if _selected(tree.prefix + scene, settings.subset)
        for pair in _pairs(tree, scene)
    ]
    expected = f"PFM files of subset {settings.subset}"
    return Listing(name="sceneflow", root=settings.path, pairs=pairs, expected=expected)


def read_absolute_pfm(path: Path) -> NDArray[np.float32]:
    """The absolute values of a PFM file; raises as `read_pfm`."""
    return np.abs(read_pfm(path))


def _trees(settings: SceneFlowSettings) -> list[_Tree]:
    members = {f"{name}/": settings.path / name for name in MEMBERS if (settings.path / name).is_dir()}
    trees = []
    for prefix, root in (members or {"": settings.path}).items():
        if (root / "disparity").is_dir():
            trees.append(_Tree(prefix, root / "disparity", root / f"frames_{settings.rendering}pass"))
        for half in ("train", "val"):
            if (root / half / "disparity").is_dir():
                images = root / half / f"image_{settings.rendering}"
                trees.append(_Tree(f"{prefix}{half}/", root / half / "disparity", images))
    if not trees:
        raise DataError("not a SceneFlow folder", where=settings.path, expected=_EXPECTED)
    return trees


def _scenes(disparity: Path) -> Iterator[str]:
    """The scenes below a tree of disparities, as `TEST/A/0000/`, or an empty string for the tree itself."""
    for folder, names, _ in os.walk(disparity):
        names.sort()
        if "left" in names:
            names.clear()
            scene = Path(folder).relative_to(disparity).as_posix()
            yield "" if scene == "." else f"{scene}/"


def _selected(scene: str, subset: str) -> bool:
    first = scene.removeprefix("FlyingThings3D/").split("/")[0]
    return subset == "all" or (subset == "test") == (first in ("TEST", "val"))


def _pairs(tree: _Tree, scene: str) -> Iterator[Pair]:
    truth = tree.disparity / scene / "left"
    views = [str(tree.images / scene / side) for side in ("left", "right")]
    present = [files_in(view) for view in views]
    for name in names_in(truth):
        if name.endswith(".pfm"):
            frame = name.removesuffix(".pfm")
            images = [_image(names, frame) for names in present]
            left, right = (f"{view}/{image}" for view, image in zip(views, images, strict=True))
            yield Pair(
                id=f"{tree.prefix}{scene}{frame}",
                left=left,
                right=right,
                disparity=f"{truth}/{name}",
                decode=read_absolute_pfm,
                missing=tuple(
                    path
                    for path, image, names in zip((left, right), images, present, strict=True)
                    if image not in names
                ),
            )


def _image(names: frozenset[str], frame: str) -> str:
    """The name of a frame's image; the usual one where there is none."""
    return next((frame + suffix for suffix in _IMAGE_SUFFIXES if frame + suffix in names), frame + _IMAGE_SUFFIXES[0])
