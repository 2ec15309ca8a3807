"""Middlebury: every edition's names, scales, masks and golden values."""

from __future__ import annotations

import numpy as np
import pytest

from disparsity.base.errors import DataError
from disparsity.datasets.readers.middlebury import MiddleburySettings, middlebury


def pair_at(folder, save, scene, left="im0.png", right="im1.png"):
    save(folder / left, scene["left"])
    save(folder / right, scene["right"])


def test_v3_needs_a_resolution_and_reads_the_mask(tmp_path, save, scene):
    mask = np.resize(np.array([128, 255], np.uint8), (12, 20))
    for size in "HQ":
        folder = tmp_path / f"training{size}" / "Adirondack"
        pair_at(folder, save, scene)
        save(folder / "disp0GT.pfm", np.where(scene["disparity"] > 0, scene["disparity"], np.float32(np.inf)))
        save(folder / "mask0nocc.png", mask)
    data = middlebury(MiddleburySettings(path=tmp_path, resolution="H", ground_truth="noc"))
    assert data.ids() == ["Adirondack"]
    known = scene["disparity"] > 0
    assert np.array_equal(data[0].valid.numpy(), known & (mask == 255))
    assert np.array_equal(middlebury(MiddleburySettings(path=tmp_path / "trainingQ"))[0].valid.numpy(), known)
    with pytest.raises(DataError, match="a v3 folder needs a resolution"):
        middlebury(MiddleburySettings(path=tmp_path))
    with pytest.raises(DataError, match="expected trainingF"):
        middlebury(MiddleburySettings(path=tmp_path, resolution="F"))
    (tmp_path / "trainingH" / "Adirondack" / "mask0nocc.png").unlink()
    with pytest.raises(DataError, match=r"mask0nocc\.png: the file is missing"):
        middlebury(MiddleburySettings(path=tmp_path, resolution="H", ground_truth="noc"))


def test_2014_has_infinite_unknowns_and_no_mask(tmp_path, save, scene):
    pair_at(tmp_path / "Piano-perfect", save, scene)
    save(
        tmp_path / "Piano-perfect" / "disp0.pfm",
        np.where(scene["disparity"] > 9, scene["disparity"], np.float32(np.inf)),
    )
    data = middlebury(MiddleburySettings(path=tmp_path))
    assert data.ids() == ["Piano-perfect"]
    assert np.array_equal(data[0].valid.numpy(), scene["disparity"] > 9)
    with pytest.raises(DataError, match=r"disp0\.pfm: ground_truth=noc needs mask0nocc\.png"):
        middlebury(MiddleburySettings(path=tmp_path, ground_truth="noc"))


def test_2003_is_value_over_4_and_a_single_scene_takes_the_folder_name(tmp_path, save, scene):
    pair_at(tmp_path / "cones", save, scene, "im2.png", "im6.png")
    codes = np.random.default_rng(0).integers(0, 256, (12, 20), dtype=np.uint8)
    save(tmp_path / "cones" / "disp2.png", codes)
    for path in (tmp_path, tmp_path / "cones"):
        data = middlebury(MiddleburySettings(path=path))
        assert data.ids() == ["cones"]
        assert np.array_equal(data[0].disparity.numpy(), codes / np.float32(4))


def test_flat_pairs(tmp_path, save, scene):
    codes = np.full((12, 20), 32, np.uint8)
    pair_at(tmp_path, save, scene, "tsukuba_l.png", "tsukuba_r.png")
    save(tmp_path / "tsukuba_gt.pgm", codes)
    pair_at(tmp_path, save, scene, "aloeL.jpg", "aloeR.jpg")
    save(tmp_path / "aloeGT.png", codes)
    pair_at(tmp_path, save, scene, "motorcycle_left.png", "motorcycle_right.png")
    np.savez(tmp_path / "motorcycle_disp.npz", np.full((12, 20), 7.5, np.float32))
    data = middlebury(MiddleburySettings(path=tmp_path))
    assert data.ids() == ["aloe", "motorcycle", "tsukuba"]
    assert [sample.disparity[0, 0].item() for sample in data] == [32, 7.5, 2]


def test_wrong_folders(tmp_path, save, scene):
    with pytest.raises(DataError, match=r"no middlebury samples; expected scenes with one of disp0GT\.pfm"):
        middlebury(MiddleburySettings(path=tmp_path))
    save(tmp_path / "a" / "disp2.png", scene["left"][:, :, 0])
    with pytest.raises(DataError, match=r"im2\.png: the file is missing"):
        middlebury(MiddleburySettings(path=tmp_path))


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "id", "size", "low", "high", "percent"),
    [
        ("middlebury2003", "cones", (375, 450), 5.5, 55, 96.8),
        ("middlebury2003", "teddy", (375, 450), 12.5, 52.8, 98.0),
        ("middlebury2014", "motorcycle", (500, 741), 7.2, 59.9, 92.7),
        ("tsukuba", "tsukuba", (288, 384), 5, 14, 79.3),
        ("aloe", "aloe", (1110, 1282), None, 211, 96.5),
    ],
)
def test_shared_scenes_have_their_published_ground_truth(shared, folder, id, size, low, high, percent):
    data = middlebury(MiddleburySettings(path=shared / "data" / folder))
    sample = data[data.ids().index(id)]
    known = sample.disparity[sample.valid]
    assert tuple(sample.disparity.shape) == size
    assert low is None or known.min().item() == pytest.approx(low, abs=0.051)
    assert known.max().item() == pytest.approx(high, abs=0.051)
    assert 100 * sample.valid.float().mean().item() == pytest.approx(percent, abs=0.051)
