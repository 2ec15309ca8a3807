"""KITTI 2012 and KITTI 2015: real street scenes with sparse lidar ground truth.

Layout: `training/{colored_0,colored_1 | image_0,image_1}` and `disp_{occ,noc}` (2012), or `training/{image_2,image_3}`
and `disp_{occ,noc}_0` (2015), each with `NNNNNN_10.png`. The frames are those for which ground truth is there; frames
`_11` have none. `disp_*_1` (2015) is not read: it is the second frame's disparity, not the right camera's.
Source: Geiger, Lenz, Urtasun, CVPR 2012; Menze, Geiger, CVPR 2015; readme.txt of their devkits.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.png import read_kitti_disparity
from disparsity.datasets.readers.folder import FolderDataset, open_listing
from disparsity.datasets.readers.listing import Listing, Pair, files_in, names_in

_FRAME = "_10.png"


@dataclass(frozen=True, kw_only=True)
class KittiSettings:
    """Where the data lies and which ground truth counts.

    Attributes:
        path: the folder that holds `training`, or `training` itself.
        ground_truth: `occ` for all pixels, `noc` for those whose match lies inside the right image.

    """

    path: Path
    ground_truth: Literal["occ", "noc"] = "occ"


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
    training = _training(settings.path)
    images = "colored" if (training / "colored_0").is_dir() else "image"
    truth = training / f"disp_{settings.ground_truth}"
    return _list("kitti2012", training, truth, (f"{images}_0", f"{images}_1"))


def list_kitti2015(settings: KittiSettings) -> Listing:
    """The pairs of `kitti2015`, complete or not; raises as `list_kitti2012`."""
    training = _training(settings.path)
    truth = training / f"disp_{settings.ground_truth}_0"
    return _list("kitti2015", training, truth, ("image_2", "image_3"))


def _training(path: Path) -> Path:
    return path / "training" if (path / "training").is_dir() else path


def _list(name: str, training: Path, truth: Path, views: tuple[str, str]) -> Listing:
    if not truth.is_dir():
        raise DataError(f"not a {name} folder", where=training, expected=f"the folder {truth.name}")
    folders = [str(training / view) for view in views]
    present = [files_in(folder) for folder in folders]
    pairs = []
    for frame in names_in(truth):
        if frame.endswith(_FRAME):
            left, right = (f"{folder}/{frame}" for folder in folders)
            missing = tuple(
                f"{folder}/{frame}" for folder, names in zip(folders, present, strict=True) if frame not in names
            )
            pairs.append(
                Pair(
                    id=frame.removesuffix(_FRAME),
                    left=left,
                    right=right,
                    disparity=f"{truth}/{frame}",
                    decode=read_kitti_disparity,
                    missing=missing,
                )
            )
    return Listing(name=name, root=training, pairs=pairs, expected=f"files NNNNNN{_FRAME} in {truth}")
