"""KITTI 2012 and KITTI 2015: real street scenes with sparse lidar ground truth.

Layout: `training/{colored_0,colored_1 | image_0,image_1}` and `disp_{occ,noc}` (2012), or `training/{image_2,image_3}`
and `disp_{occ,noc}_0` (2015), each with `NNNNNN_10.png`. The frames are those for which ground truth is there. Where
there is none, as in `testing`, all frames `_10` are read as pairs without it; `ground_truth=none` reads those of
`training` so, and the second frames `_11` as well. `disp_*_1` (2015) is not read: it is the second frame's disparity,
not the right camera's.
Source: Geiger, Lenz, Urtasun, CVPR 2012; Menze, Geiger, CVPR 2015; readme.txt of their devkits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.images import read_kitti_disparity
from disparsity.datasets.readers.folder import FolderDataset, open_listing
from disparsity.datasets.readers.listing import Listing, Pair, names_in, views_in

_FRAME, _SECOND_FRAME = "_10", "_11"


@dataclass(frozen=True, kw_only=True)
class KittiSettings:
    """Where the data lies and which ground truth counts.

    Attributes:
        path: the folder that holds `training` or else `testing`, or one of these itself.
        ground_truth: `occ` for all pixels, `noc` for those whose match lies inside the right image, `none` to read
            the pairs only.

    """

    path: Path
    ground_truth: Literal["occ", "noc", "none"] = "occ"


def kitti2012(settings: KittiSettings) -> FolderDataset:
    """KITTI 2012, with the colour images where they are there and else the gray ones.

    Raises:
        DataError: the folders are not there, hold no frame, or lack a frame's image.

    """
    return open_listing(list_kitti2012(settings))


def kitti2015(settings: KittiSettings) -> FolderDataset:
    """KITTI 2015; raises as `kitti2012`."""
    return open_listing(list_kitti2015(settings))


def list_kitti2012(settings: KittiSettings) -> Listing:
    """The pairs of `kitti2012`, complete or not.

    Raises:
        DataError: the folders are not there.

    """
    folder = _frames_folder(settings.path)
    images = "colored" if (folder / "colored_0").is_dir() else "image"
    return _list("kitti2012", folder, (f"{images}_0", f"{images}_1"), "disp_{}", settings.ground_truth)


def list_kitti2015(settings: KittiSettings) -> Listing:
    """The pairs of `kitti2015`, complete or not; raises as `list_kitti2012`."""
    return _list("kitti2015", _frames_folder(settings.path), ("image_2", "image_3"), "disp_{}_0", settings.ground_truth)


def _frames_folder(path: Path) -> Path:
    return next((path / name for name in ("training", "testing") if (path / name).is_dir()), path)


def _list(name: str, root: Path, views: tuple[str, str], truths: str, kind: str) -> Listing:
    """The frames with ground truth of a kind; all frames where the kind is `none` or no ground truth is there."""
    folders = [root / view for view in views]
    present = [views_in(str(folder)) for folder in folders]
    truth = None if kind == "none" else root / truths.format(kind)
    if truth is not None and not truth.is_dir():
        if not all(present) or any((root / truths.format(other)).is_dir() for other in ("occ", "noc")):
            raise DataError(f"not a {name} folder", where=root, expected=f"the folder {truth.name}")
        truth = None
    ends = (_FRAME, _SECOND_FRAME) if kind == "none" else (_FRAME,)
    frames = sorted(present[0] | present[1]) if truth is None else _stems(names_in(truth))
    pairs = [_pair(folders, present, truth, frame) for frame in frames if frame.endswith(ends)]
    return Listing(name=name, root=root, pairs=pairs, expected=f"files NNNNNN{_FRAME}.png in {truth or folders[0]}")


def _stems(names: Sequence[str]) -> list[str]:
    return [name.removesuffix(".png") for name in names if name.endswith(".png")]


def _pair(folders: Sequence[Path], present: Sequence[Mapping[str, str]], truth: Path | None, frame: str) -> Pair:
    names = [views.get(frame) for views in present]
    left, right = (f"{folder}/{name or frame + '.png'}" for folder, name in zip(folders, names, strict=True))
    return Pair(
        id=frame.removesuffix(_FRAME),
        left=left,
        right=right,
        disparity=f"{truth}/{frame}.png" if truth else None,
        decode=read_kitti_disparity if truth else None,
        missing=tuple(path for path, name in zip((left, right), names, strict=True) if name is None),
    )
