"""SceneFlow: FlyingThings3D, its subset archive, Monkaa and Driving.

Layout: `disparity/<scene>/left/NNNN.pfm` beside `frames_{clean,final}pass/<scene>/{left,right}/NNNN.{png,webp}`, where
`<scene>` is `TRAIN|TEST/A|B|C/NNNN` (FlyingThings3D), a name (Monkaa) or `15mm_focallength/scene_forwards/fast` and
the like (Driving); or, for the subset archive, `{train,val}/disparity/left` and `{train,val}/image_{clean,final}`.
A path that holds `FlyingThings3D`, `Monkaa` or `Driving` gives all that are there, and so does one with PSMNet's names:
`frames_cleanpass` with `frames_disparity`, `monkaa_frames_cleanpass` with `monkaa_disparity`, the same with `driving_`.
Where there is no disparity at all, the images are read as pairs without ground truth.
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
from disparsity.datasets.readers.listing import Listing, Pair, names_in, views_in

MEMBERS = ("FlyingThings3D", "Monkaa", "Driving")
_PSMNET = {"FlyingThings3D": ("", "frames_"), "Monkaa": ("monkaa_", "monkaa_"), "Driving": ("driving_", "driving_")}
"""What PSMNet puts before the names of the folders of images and of disparities."""
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
    """One tree of images with its tree of disparities; `prefix` starts the ids and decides train or test."""

    prefix: str
    images: Path
    disparity: Path | None


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
        for scene in _scenes(tree.disparity or tree.images)
        if _selected(tree.prefix + scene, settings.subset)
        for pair in _pairs(tree, scene)
    ]
    expected = f"PFM files of subset {settings.subset}"
    return Listing(name="sceneflow", root=settings.path, pairs=pairs, expected=expected)


def read_absolute_pfm(path: Path) -> NDArray[np.float32]:
    """The absolute values of a PFM file; raises as `read_pfm`."""
    return np.abs(read_pfm(path))


def _trees(settings: SceneFlowSettings) -> list[_Tree]:
    trees = list(_possible_trees(settings))
    if any(tree.disparity is not None for tree in trees):
        return [tree for tree in trees if tree.disparity is not None]
    if not trees:
        raise DataError("not a SceneFlow folder", where=settings.path, expected=_EXPECTED)
    return trees


def _possible_trees(settings: SceneFlowSettings) -> Iterator[_Tree]:
    """Every tree that is there, with its disparities or without."""
    frames = f"frames_{settings.rendering}pass"
    roots = {f"{name}/": settings.path / name for name in MEMBERS if (settings.path / name).is_dir()}
    places = []
    for prefix, root in (roots or {"": settings.path}).items():
        places.append((prefix, root / frames, root / "disparity"))
        for half in ("train", "val"):
            images = root / half / f"image_{settings.rendering}"
            places.append((f"{prefix}{half}/", images, root / half / "disparity"))
    named_by_psmnet = [settings.path / f"{before}disparity" for _, before in _PSMNET.values()]
    if any(folder.is_dir() for folder in named_by_psmnet):
        places = [
            (f"{member}/", settings.path / f"{before}{frames}", disparity)
            for (member, (before, _)), disparity in zip(_PSMNET.items(), named_by_psmnet, strict=True)
        ]
    for prefix, images, disparity in places:
        if disparity.is_dir() or images.is_dir():
            yield _Tree(prefix, images, disparity if disparity.is_dir() else None)


def _scenes(tree: Path) -> Iterator[str]:
    """The scenes below a tree, as `TEST/A/0000/`, or an empty string for the tree itself."""
    for folder, names, _ in os.walk(tree):
        names.sort()
        if "left" in names:
            names.clear()
            scene = Path(folder).relative_to(tree).as_posix()
            yield "" if scene == "." else f"{scene}/"


def _selected(scene: str, subset: str) -> bool:
    first = scene.removeprefix("FlyingThings3D/").split("/")[0]
    return subset == "all" or (subset == "test") == (first in ("TEST", "val"))


def _pairs(tree: _Tree, scene: str) -> Iterator[Pair]:
    folders = [str(tree.images / scene / side) for side in ("left", "right")]
    present = [views_in(folder) for folder in folders]
    truth = tree.disparity / scene / "left" if tree.disparity else None
    truths = _maps_in(truth) if truth else dict.fromkeys(sorted(present[0] | present[1]))
    for frame, name in truths.items():
        views = [f"{folder}/{names.get(frame, frame + '.png')}" for folder, names in zip(folders, present, strict=True)]
        yield Pair(
            id=f"{tree.prefix}{scene}{frame}",
            left=views[0],
            right=views[1],
            disparity=f"{truth}/{name}" if truth else None,
            decode=read_absolute_pfm if truth else None,
            missing=tuple(view for view, names in zip(views, present, strict=True) if frame not in names),
        )


def _maps_in(folder: Path) -> dict[str, str]:
    """The names of the PFM files in a folder, by frame."""
    return {name[: -len(".pfm")]: name for name in names_in(folder) if name.lower().endswith(".pfm")}
