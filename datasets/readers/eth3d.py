"""ETH3D two-view: gray indoor and outdoor scenes with laser ground truth.

Layout: `two_view_training/<scene>/{im0,im1}.png` beside `two_view_training_gt/<scene>/{disp0GT.pfm,mask0nocc.png}`; the
two archives may also be unpacked into one another. Unknown disparities are infinite. Scenes of which none has ground
truth, as in `two_view_test`, are read as pairs without it.
Source: Schoeps et al., CVPR 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.pfm import read_pfm
from disparsity.datasets.readers.folder import FolderDataset, open_listing
from disparsity.datasets.readers.listing import Listing, Pair, absent, subfolders, views_in

_TRUTH = "disp0GT.pfm"


@dataclass(frozen=True, kw_only=True)
class Eth3dSettings:
    """Where the data lies and which pixels count.

    Attributes:
        path: the folder that holds `two_view_training`, or a folder of scenes.
        ground_truth: `occ` for all known pixels, `noc` for those that both views see, `none` to read the pairs only.

    """

    path: Path
    ground_truth: Literal["occ", "noc", "none"] = "occ"


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
    archive = settings.path / "two_view_training"
    images = archive if archive.is_dir() else settings.path
    scenes = [name for name in subfolders(images) if archive.is_dir() or "im0" in views_in(str(images / name))]
    if images != archive and not scenes:
        raise DataError("not an ETH3D folder", where=settings.path, expected="the folder two_view_training, or scenes")
    separate = settings.path / "two_view_training_gt"
    truth = separate if separate.is_dir() else images
    if settings.ground_truth != "none" and any((truth / name / _TRUTH).is_file() for name in subfolders(truth)):
        pairs = [_pair(images / name, truth / name, settings.ground_truth == "noc") for name in subfolders(truth)]
    else:
        pairs = [_pair(images / name, None, only_seen_twice=False) for name in scenes]
    return Listing(name="eth3d", root=settings.path, pairs=pairs, expected=f"scenes in {truth}")


def _pair(images: Path, truth: Path | None, only_seen_twice: bool) -> Pair:
    views = views_in(str(images))
    left, right = (str(images / views.get(stem, f"{stem}.png")) for stem in ("im0", "im1"))
    disparity = str(truth / _TRUTH) if truth else None
    mask = str(truth / "mask0nocc.png") if truth and only_seen_twice else None
    return Pair(
        id=images.name,
        left=left,
        right=right,
        disparity=disparity,
        decode=read_pfm if truth else None,
        mask=mask,
        missing=absent((disparity, left, right, mask)),
    )
