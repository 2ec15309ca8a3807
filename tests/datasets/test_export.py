"""Exported data sets read back through the readers and Pillow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from disparsity.base.errors import DataError, InputError
from disparsity.datasets.decoders.pfm import read_pfm
from disparsity.datasets.export import export_kitti2015, export_sceneflow
from disparsity.datasets.readers.folder import FolderDataset, Pair
from disparsity.datasets.synthetic import SyntheticDataset, SyntheticSettings
from disparsity.datasets.uri import open_data
from disparsity.registries import load_all

EXPORTERS = load_all("layouts")


@pytest.fixture
def data(tmp_path, save, scene) -> FolderDataset:
    pair = Pair(
        id="a",
        left=save(tmp_path / "in" / "l.png", scene["left"]),
        right=save(tmp_path / "in" / "r.png", scene["right"]),
        disparity=save(tmp_path / "in" / "d.pfm", scene["disparity"]),
        decode=read_pfm,
    )
    swapped = replace(pair, id="b", left=pair.right, right=pair.left)
    return FolderDataset("test", tmp_path, [pair, swapped], "pairs")


@pytest.mark.parametrize("layout", EXPORTERS)
def test_a_round_trip_of_8_bit_images_is_exact(tmp_path, data, layout):
    EXPORTERS[layout](data, tmp_path / "out")
    back = open_data(f"{layout}:{tmp_path / 'out'}")
    assert len(back) == 2
    for before, after in zip(data, back, strict=True):
        for name in ("left", "right", "disparity", "valid"):
            assert torch.equal(getattr(before, name), getattr(after, name))


def test_file_names_follow_the_layouts(tmp_path, data, scene):
    export_sceneflow(data, tmp_path / "flying", "TEST")
    export_kitti2015(data, tmp_path / "kitti")
    assert open_data(f"sceneflow:{tmp_path / 'flying'}?subset=test").ids() == ["TEST/A/0000/0006", "TEST/A/0001/0006"]
    with Image.open(tmp_path / "kitti/training/image_3/000001_10.png") as image:
        assert np.array_equal(np.asarray(image), scene["left"])
    with Image.open(tmp_path / "kitti/training/disp_occ_0/000000_10.png") as image:
        assert np.array_equal(np.asarray(image), (scene["disparity"] * 256).astype(np.uint16))


@pytest.mark.parametrize(("layout", "step"), [("sceneflow", 0), ("kitti2015", 1 / 256)])
def test_synthetic_scenes_survive_within_the_precision_of_the_layout(tmp_path, layout, step):
    data = SyntheticDataset(SyntheticSettings(pairs=2, height=32, width=48, seed=1, max_disparity=12))
    EXPORTERS[layout](data, tmp_path / "out")
    for before, after in zip(data, open_data(f"{layout}:{tmp_path / 'out'}"), strict=True):
        assert torch.equal(before.valid, after.valid)
        assert (before.disparity - after.disparity).abs().max() <= step / 2 + 1e-6
        assert (before.left - after.left).abs().max() <= 0.5 / 255 + 1e-6


def test_a_failure_leaves_nothing_behind(tmp_path, data):
    (tmp_path / "in" / "r.png").write_bytes(b"broken")
    with pytest.raises(DataError):
        export_kitti2015(data, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_an_existing_output_is_not_touched(tmp_path, data):
    (tmp_path / "out").mkdir()
    export_kitti2015(data, tmp_path / "out")
    before = sorted(tmp_path.rglob("*"))
    for layout in EXPORTERS:
        with pytest.raises(InputError, match="the output exists already"):
            EXPORTERS[layout](data, tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(InputError, match="expected TRAIN or TEST"):
        export_sceneflow(data, tmp_path / "other", "VAL")


@pytest.mark.parametrize("layout", EXPORTERS)
def test_several_processes_write_the_same_files(tmp_path, layout):
    scenes = SyntheticDataset(SyntheticSettings(pairs=5, height=16, width=32, max_disparity=8.0))
    for workers in (0, 2):
        EXPORTERS[layout](scenes, tmp_path / str(workers), workers=workers)
    files = [path for path in sorted((tmp_path / "0").rglob("*")) if path.is_file()]
    assert len(files) == 15
    for path in files:
        assert path.read_bytes() == (tmp_path / "2" / path.relative_to(tmp_path / "0")).read_bytes()


def test_a_fault_in_a_worker_is_the_users_and_leaves_nothing(tmp_path, data):
    (tmp_path / "in" / "r.png").unlink()
    with pytest.raises(DataError, match=r"r\.png"):
        export_kitti2015(data, tmp_path / "out", workers=2)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
