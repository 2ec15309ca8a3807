"""ETH3D: separate and merged archives."""

from __future__ import annotations

import numpy as np
import pytest

from disparsity.base.errors import DataError
from disparsity.datasets.readers.eth3d import Eth3dSettings, eth3d


@pytest.mark.parametrize("truth", ["two_view_training_gt", "two_view_training"])
def test_layouts(tmp_path, save, scene, truth):
    mask = np.resize(np.array([128, 255, 255], np.uint8), (12, 20))
    for name in ("delivery_area_1l", "playground_1l"):
        for file, side in (("im0.png", "left"), ("im1.png", "right")):
            save(tmp_path / "two_view_training" / name / file, scene[side][:, :, 0])
        known = np.where(scene["disparity"] > 0, scene["disparity"], np.float32(np.inf))
        save(tmp_path / truth / name / "disp0GT.pfm", known)
        save(tmp_path / truth / name / "mask0nocc.png", mask)
    data = eth3d(Eth3dSettings(path=tmp_path))
    assert data.ids() == ["delivery_area_1l", "playground_1l"]
    sample = data[0]
    assert np.array_equal(sample.disparity.numpy(), scene["disparity"])
    assert np.array_equal(sample.left[1].numpy(), scene["left"][:, :, 0].astype(np.float32) / 255)
    noc = eth3d(Eth3dSettings(path=tmp_path, ground_truth="noc"))[0]
    assert np.array_equal(noc.valid.numpy(), (scene["disparity"] > 0) & (mask == 255))


def test_wrong_folders(tmp_path, save, scene):
    with pytest.raises(DataError, match="expected the folder two_view_training"):
        eth3d(Eth3dSettings(path=tmp_path))
    (tmp_path / "two_view_training").mkdir()
    with pytest.raises(DataError, match="no eth3d samples"):
        eth3d(Eth3dSettings(path=tmp_path))
    save(tmp_path / "two_view_training" / "a" / "im0.png", scene["left"])
    with pytest.raises(DataError, match=r"a/im1\.png: the file is missing; pair a needs it"):
        eth3d(Eth3dSettings(path=tmp_path))
    save(tmp_path / "two_view_training" / "b" / "disp0GT.pfm", scene["disparity"])
    with pytest.raises(DataError, match=r"a/disp0GT\.pfm: the file is missing"):
        eth3d(Eth3dSettings(path=tmp_path))


@pytest.mark.parametrize("folder", ["two_view_test", "two_view_training"])
def test_scenes_without_ground_truth_are_pairs(tmp_path, save, scene, folder):
    for file, side in (("im0.png", "left"), ("im1.png", "right")):
        save(tmp_path / folder / "sandbox_1" / file, scene[side])
    root = tmp_path if folder == "two_view_training" else tmp_path / folder
    data = eth3d(Eth3dSettings(path=root))
    assert data.ids() == ["sandbox_1"]
    assert not data.has_ground_truth()
    assert not data[0].valid.any()
    assert np.array_equal(data[0].right.permute(1, 2, 0).numpy() * 255, scene["right"])


@pytest.mark.data
def test_shared_pairs(shared):
    data = eth3d(Eth3dSettings(path=shared / "data" / "eth3d"))
    folders = sorted(path.name for path in (shared / "data" / "eth3d").iterdir())
    assert data.ids() == folders
    assert not data.has_ground_truth()
    sample = data[0]
    assert sample.left.shape == sample.right.shape
    assert sample.left.std() > 0.1
