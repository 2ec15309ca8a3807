"""ETH3D two-view: gray indoor and outdoor scenes with laser ground truth.

Layout: `two_view_training/<scene>/{im0,im1}.png` beside `two_view_training_gt/<scene>/{disp0GT.pfm,mask0nocc.png}`; the
two archives may also be unpacked into one another. Unknown disparities are infinite.
Source: Schoeps et al., CVPR 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.pfm import read_pfm
from disparsity.datasets.readers.folder import FolderDataset, open_listing
from disparsity.datasets.readers.listing import Listing, Pair, absent, subfolders


@dataclass(frozen=True, kw_only=True)
class Eth3dSettings:
    """Where the data lies and which pixels count.

    Attributes:
        path: the folder that holds `two_view_training`.
        ground_truth: `occ` for all known pixels, `noc` for those that both views see.

    """

    path: Path
    ground_truth: Literal["occ", "noc"] = "occ"


def eth3d(settings: Eth3dSettings) -> FolderDataset:
    """ETH3D as `settings` select it.

    Raises:
        DataError: the folders are not there or hold no scene, or a scene lacks a file.

    """
    return open_listing(list_eth3d(settings))


def list_eth3d(settings: Eth3dSettings) -> Listing:
    """The scenes of `eth3d`, complete or not.

    Raises:
        DataError: the folders are not there.

    """
    images = settings.path / "two_view_training"
    if not images.is_dir():
        raise DataError("not an ETH3D folder", where=settings.path, expected="the folder two_view_training")
    separate = settings.path / "two_view_training_gt"
    truth = separate if separate.is_dir() else images
    pairs = [_pair(images / scene, truth / scene, settings.ground_truth == "noc") for scene in subfolders(truth)]
    return Listing(name="eth3d", root=settings.path, pairs=pairs, expected=f"scenes in {truth}")


def _pair(images: Path, truth: Path, only_seen_twice: bool) -> Pair:
    left, right, disparity = (str(path) for path in (images / "im0.png", images / "im1.png", truth / "disp0GT.pfm"))
    mask = str(truth / "mask0nocc.png") if only_seen_twice else None
    return Pair(
        id=truth.name,
        left=left,
        right=right,
        disparity=disparity,
        decode=read_pfm,
        mask=mask,
        missing=absent((disparity, left, right, mask)),
    )
