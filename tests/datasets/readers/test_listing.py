"""Listings: pairs as text, what they lack, and the same figures for a folder however it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.pfm import read_pfm
from disparsity.datasets.readers.kitti import KittiSettings, list_kitti2015
from disparsity.datasets.readers.listing import Listing, Pair, absent, check_complete, files_in, names_in, subfolders
from disparsity.datasets.readers.sceneflow import SceneFlowSettings, list_sceneflow


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_folders_are_told_from_files(tmp_path):
    touch(tmp_path, "b/c", "a.txt")
    assert names_in(tmp_path) == ["a.txt", "b"]
    assert subfolders(tmp_path) == ["b"]
    assert files_in(str(tmp_path)) == {"a.txt"}
    assert files_in(str(tmp_path / "none")) == files_in(str(tmp_path / "a.txt")) == frozenset()
    assert absent([f"{tmp_path}/a.txt", f"{tmp_path}/b", None, f"{tmp_path}/x"]) == (f"{tmp_path}/b", f"{tmp_path}/x")
    with pytest.raises(DataError, match="cannot be listed"):
        names_in(tmp_path / "none")


def test_an_incomplete_listing_is_refused_naming_the_first_missing_file():
    pair = Pair(id="a", left="l.png", right="r.png", disparity="d.pfm", decode=read_pfm)
    lacking = Pair(id="b", left="x.png", right="y.png", disparity="e.pfm", decode=read_pfm, missing=("y.png",))
    check_complete(Listing(name="test", root=Path(), pairs=[pair], expected=""))
    with pytest.raises(DataError, match=r"^y\.png: the file is missing; e\.pfm needs it$"):
        check_complete(Listing(name="test", root=Path(), pairs=[pair, lacking], expected=""))
    assert pair.files() == (Path("l.png"), Path("r.png"), Path("d.pfm"))


def test_kitti_lists_every_pair_and_what_each_lacks(tmp_path):
    touch(tmp_path, *(f"disp_occ_0/00000{frame}_10.png" for frame in range(3)), "image_2/000001_10.png")
    touch(tmp_path, "image_2/000000_10.png", "image_3/000000_10.png", "image_3/000001_11.png")
    missing = {pair.id: pair.missing for pair in list_kitti2015(KittiSettings(path=tmp_path)).pairs}
    views = [str(tmp_path / view / "000002_10.png") for view in ("image_2", "image_3")]
    assert missing == {"000000": (), "000001": (str(tmp_path / "image_3/000001_10.png"),), "000002": tuple(views)}


def test_sceneflow_lists_pairs_without_an_image_folder(tmp_path):
    touch(tmp_path, "disparity/TRAIN/A/0000/left/0006.pfm", "frames_cleanpass/TRAIN/A/0000/left/0006.webp")
    (pair,) = list_sceneflow(SceneFlowSettings(path=tmp_path)).pairs
    assert pair.left.endswith("left/0006.webp")
    assert pair.missing == (pair.right,)
    assert pair.right == f"{tmp_path}/frames_cleanpass/TRAIN/A/0000/right/0006.png"
