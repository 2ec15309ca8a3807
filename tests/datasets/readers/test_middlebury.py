"""Middlebury: every edition's names, scales, masks and golden values."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

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


def test_2014_has_infinite_unknowns_and_no_mask_and_2021_has_one(tmp_path, save, scene):
    pair_at(tmp_path / "Piano-perfect", save, scene)
    truth = np.where(scene["disparity"] > 9, scene["disparity"], np.float32(np.inf))
    save(tmp_path / "Piano-perfect" / "disp0.pfm", truth)
    data = middlebury(MiddleburySettings(path=tmp_path))
    assert data.ids() == ["Piano-perfect"]
    assert np.array_equal(data[0].valid.numpy(), scene["disparity"] > 9)
    with pytest.raises(DataError, match=r"disp0\.pfm: ground_truth=noc needs mask0nocc\.png"):
        middlebury(MiddleburySettings(path=tmp_path, ground_truth="noc"))
    mask = np.resize(np.array([128, 255, 0], np.uint8), (12, 20))
    save(tmp_path / "Piano-perfect" / "mask0nocc.png", mask)
    noc = middlebury(MiddleburySettings(path=tmp_path, ground_truth="noc"))[0]
    assert np.array_equal(noc.valid.numpy(), (scene["disparity"] > 9) & (mask == 255))


CASES = [
    (("im2.png", "im6.png", "disp2.png"), (375, 450), 4),
    (("im2.png", "im6.png", "disp2.png"), (750, 900), 2),
    (("im2.ppm", "im6.ppm", "disp2.pgm"), (1500, 1800), 1),
    (("im2.ppm", "im6.ppm", "disp2.pgm"), (381, 430), 8),
    (("imL.png", "imR.png", "groundtruth.png"), (383, 434), 8),
    (("imL.png", "imR.png", "groundtruth.png"), (288, 384), 16),
    (("view1.png", "view5.png", "disp1.png"), (370, 463), 3),
    (("view1.png", "view5.png", "disp1.png"), (555, 695), 2),
    (("view1.png", "view5.png", "disp1.png"), (1110, 1390), 1),
    (("tsukuba_l.png", "tsukuba_r.png", "tsukuba_gt.pgm"), (288, 384), 16),
    (("aloeL.jpg", "aloeR.jpg", "aloeGT.png"), (1110, 1282), 1),
]


@pytest.mark.parametrize(("names", "size", "scale"), CASES)
def test_the_scale_follows_from_edition_and_width(tmp_path, save, names, size, scale):
    truth = np.random.default_rng(0).integers(1, 255 // scale + 1, size).astype(np.float32)
    for name in names[:2]:
        save(tmp_path / "cones" / name, np.zeros((*size, 3), np.uint8))
    save(tmp_path / "cones" / names[2], (truth * scale).astype(np.uint8))
    for path in (tmp_path, tmp_path / "cones"):
        data = middlebury(MiddleburySettings(path=path))
        assert len(data) == 1
        assert np.array_equal(data[0].disparity.numpy(), truth)
    (doubled,) = middlebury(MiddleburySettings(path=tmp_path, scale=2 * scale))
    assert np.array_equal(doubled.disparity.numpy(), truth / 2)


def test_a_single_scene_takes_the_folder_name_and_an_unknown_width_is_refused(tmp_path, save, scene):
    pair_at(tmp_path / "cones", save, scene, "im2.png", "im6.png")
    save(tmp_path / "cones" / "disp2.png", np.full((12, 20), 8, np.uint8))
    for path in (tmp_path, tmp_path / "cones"):
        assert middlebury(MiddleburySettings(path=path)).ids() == ["cones"]
    with pytest.raises(DataError, match=r"disp2\.png: the scale .* found width 20; expected .*450, 900, 1800.*scale="):
        middlebury(MiddleburySettings(path=tmp_path))[0]


def test_a_scale_is_for_8_bits(tmp_path, save, scene):
    pair_at(tmp_path, save, scene)
    save(tmp_path / "disp0.pfm", scene["disparity"])
    with pytest.raises(DataError, match=r"disp0\.pfm: a scale is for disparity maps of 8 bits; found scale=4"):
        middlebury(MiddleburySettings(path=tmp_path, scale=4))


def test_flat_pairs_of_one_folder(tmp_path, save, scene):
    for name in ("motorcycle", "pipes"):
        pair_at(tmp_path, save, scene, f"{name}_left.png", f"{name}_right.png")
        np.savez(tmp_path / f"{name}_disp.npz", np.full((12, 20), 7.5, np.float32))
    data = middlebury(MiddleburySettings(path=tmp_path))
    assert data.ids() == ["motorcycle", "pipes"]
    assert [sample.disparity[0, 0].item() for sample in data] == [7.5, 7.5]


@pytest.mark.parametrize("suffix", [".bmp", ".tiff", ".ppm"])
def test_views_of_other_formats_and_suffixes_in_other_letters(tmp_path, save, scene, suffix):
    pair_at(tmp_path, save, scene, f"im0{suffix}", f"im1{suffix}")
    save(tmp_path / "disp0.pfm", scene["disparity"]).rename(tmp_path / "disp0.PFM")
    (sample,) = middlebury(MiddleburySettings(path=tmp_path))
    assert np.array_equal(sample.disparity.numpy(), scene["disparity"])
    assert np.array_equal(sample.left.permute(1, 2, 0).numpy() * 255, scene["left"])


def test_scenes_without_any_ground_truth_are_pairs(tmp_path, save, scene):
    for name in ("Bicycle2", "Computer"):
        pair_at(tmp_path / "testH" / name, save, scene)
    data = middlebury(MiddleburySettings(path=tmp_path / "testH"))
    assert data.ids() == ["Bicycle2", "Computer"]
    assert not data.has_ground_truth()
    save(tmp_path / "testH" / "Computer" / "disp0.pfm", scene["disparity"])
    assert middlebury(MiddleburySettings(path=tmp_path / "testH")).ids() == ["Computer"]
    both = middlebury(MiddleburySettings(path=tmp_path / "testH", ground_truth="none"))
    assert both.ids() == ["Bicycle2", "Computer"]
    assert not both[1].valid.any()


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


def matching_error(sample, factor):
    """How far the left view is from the right one, looked up at `factor` times the disparity."""
    left, right = sample.left.mean(0).numpy(), sample.right.mean(0).numpy()
    rows, columns = np.nonzero(sample.valid.numpy())
    there = np.rint(columns - factor * sample.disparity.numpy()[rows, columns]).astype(int)
    inside = there >= 0
    rows, columns, there = rows[inside], columns[inside], there[inside]
    return float(np.median(np.abs(left[rows, columns] - right[rows, there])))


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "scenes"),
    [("middlebury2001", 1), ("middlebury2003", 2), ("middlebury2005", 4), ("middlebury2006", 14), ("aloe", 1)],
)
def test_the_views_of_every_shared_scene_match_at_its_disparities_and_at_no_other_scale(shared, folder, scenes):
    data = middlebury(MiddleburySettings(path=shared / "data" / folder))
    assert len(data) == scenes
    for sample in data:
        errors = {factor: matching_error(sample, factor) for factor in (1, 0.25, 0.5, 2 / 3, 0.75, 1.5, 2, 3)}
        assert min(errors, key=errors.__getitem__) == 1, (sample.id, errors)


@pytest.mark.data
def test_the_shared_masks_of_2001_and_2003(shared):
    for folder, id, percent in (("middlebury2003", "cones", 85.3), ("middlebury2001", "venus", None)):
        data = middlebury(MiddleburySettings(path=shared / "data" / folder, ground_truth="noc"))
        sample = data[data.ids().index(id)]
        with Image.open(shared / "data" / folder / id / "nonocc.png") as mask:
            counts = np.asarray(mask.convert("L")) == 255
        assert np.array_equal(sample.valid.numpy(), counts & (sample.disparity.numpy() > 0))
        assert percent is None or 100 * counts.mean() == pytest.approx(percent, abs=0.051)


@pytest.mark.data
def test_the_shared_quarter_size_pairs_have_no_ground_truth(shared):
    data = middlebury(MiddleburySettings(path=shared / "data" / "middlebury2014q"))
    assert len(data) == 8
    assert not data.has_ground_truth()
    assert data[0].left.shape == data[0].right.shape
