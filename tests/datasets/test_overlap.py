"""Overlap: the same files, the same scenes and copies are found; equal ids of other pairs are not."""

from __future__ import annotations

import shutil

import pytest

from disparsity.datasets.overlap import shared_samples
from disparsity.datasets.packed.writer import pack
from disparsity.datasets.uri import open_data

SCENES = "synthetic:?pairs={}&size=32x64&max_disparity={}&seed={}"


@pytest.mark.parametrize(
    ("pairs", "maximum", "seed", "shared"), [(5, 16, 1, 3), (2, 16, 1, 2), (5, 12, 1, 0), (5, 16, 2, 0)]
)
def test_scenes(pairs, maximum, seed, shared):
    first, second = open_data(SCENES.format(pairs, maximum, seed)), open_data(SCENES.format(3, 16, 1))
    assert shared_samples(first, second) == second.ids()[:shared]


def test_files_by_whatever_reader_and_copies(tmp_path, save, scene):
    for number in ("000000", "000001"):
        for folder, side in (("image_2", "left"), ("image_3", "right")):
            save(tmp_path / "k" / "training" / folder / f"{number}_10.png", scene[side] // (int(number) + 1))
        codes = (scene["disparity"] * 256).astype("uint16")
        save(tmp_path / "k" / "training" / "disp_occ_0" / f"{number}_10.png", codes)
    kitti = open_data(f"kitti2015:{tmp_path / 'k'}")
    (tmp_path / "one.txt").write_text("000001\n")
    part = open_data(f"kitti2015:{tmp_path / 'k' / 'training'}?split={tmp_path / 'one.txt'}")
    assert shared_samples(kitti, part) == ["000001"]
    (tmp_path / "list.txt").write_text("k/training/image_2/000001_10.png k/training/image_3/000001_10.png\n")
    assert shared_samples(kitti, open_data(f"list:{tmp_path / 'list.txt'}")) == ["k/training/image_2/000001_10"]
    shutil.copytree(tmp_path / "k", tmp_path / "copy")
    assert shared_samples(kitti, open_data(f"kitti2015:{tmp_path / 'copy'}")) == ["000000", "000001"]
    pack(kitti, tmp_path / "k.h5")
    assert shared_samples(open_data(f"packed:{tmp_path / 'k.h5'}"), part) == ["000001"]
    for number in ("000000", "000001"):
        save(tmp_path / "copy" / "training" / "image_2" / f"{number}_10.png", scene["right"])
    assert shared_samples(kitti, open_data(f"kitti2015:{tmp_path / 'copy'}")) == []
