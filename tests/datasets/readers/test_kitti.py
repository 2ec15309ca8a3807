"""KITTI 2012 and 2015: layouts, ground truths, missing partners, golden values."""

from __future__ import annotations

import numpy as np
import pytest

from disparsity.base.errors import DataError
from disparsity.datasets.readers.kitti import KittiSettings, kitti2012, kitti2015
from disparsity.datasets.split import select


@pytest.fixture
def write(tmp_path, save, scene):
    def frames(left: str, right: str, truth: str, names: list[str]) -> None:
        codes = (scene["disparity"] * 256).astype(np.uint16)
        for name in names:
            save(tmp_path / "training" / left / f"{name}.png", scene["left"])
            save(tmp_path / "training" / right / f"{name}.png", scene["right"])
            if truth and name.endswith("_10"):
                save(tmp_path / "training" / truth / f"{name}.png", codes)

    return frames


def test_2015_reads_the_frames_with_ground_truth(tmp_path, write, scene):
    write("image_2", "image_3", "disp_occ_0", ["000003_10", "000003_11", "000001_10"])
    write("image_2", "image_3", "", ["000002_10"])
    data = kitti2015(KittiSettings(path=tmp_path))
    assert data.name == "kitti2015"
    assert data.ids() == ["000001", "000003"]
    assert kitti2015(KittiSettings(path=tmp_path / "training")).fingerprint() == data.fingerprint()
    sample = data[1]
    assert np.array_equal(sample.disparity.numpy(), scene["disparity"])
    assert np.array_equal(sample.right.numpy(), np.moveaxis(scene["right"], 2, 0).astype(np.float32) / 255)


def test_ground_truth_chooses_the_folder(tmp_path, write):
    write("image_2", "image_3", "disp_occ_0", ["000001_10", "000002_10"])
    write("image_2", "image_3", "disp_noc_0", ["000002_10"])
    assert kitti2015(KittiSettings(path=tmp_path, ground_truth="noc")).ids() == ["000002"]


def test_2012_prefers_colour_and_reads_gray(tmp_path, write, save, scene):
    write("image_0", "image_1", "disp_occ", ["000001_10"])
    gray = scene["left"][:, :, 0]
    save(tmp_path / "training" / "image_0" / "000001_10.png", gray)
    left = kitti2012(KittiSettings(path=tmp_path))[0].left
    assert np.array_equal(left.numpy(), np.stack([gray] * 3).astype(np.float32) / 255)
    write("colored_0", "colored_1", "", ["000001_10"])
    left = kitti2012(KittiSettings(path=tmp_path))[0].left
    assert np.array_equal(left.numpy(), np.moveaxis(scene["left"], 2, 0).astype(np.float32) / 255)


def test_a_missing_partner_is_named(tmp_path, write):
    write("image_2", "image_3", "disp_occ_0", ["000001_10"])
    (tmp_path / "training" / "image_3" / "000001_10.png").unlink()
    with pytest.raises(DataError, match=r"image_3/000001_10\.png: the file is missing"):
        kitti2015(KittiSettings(path=tmp_path))


def test_frames_without_any_ground_truth_are_pairs(tmp_path, write, scene):
    write("image_2", "image_3", "", ["000003_10", "000003_11"])
    (tmp_path / "training").rename(tmp_path / "testing")
    for path in (tmp_path, tmp_path / "testing"):
        data = kitti2015(KittiSettings(path=path))
        assert data.ids() == ["000003"]
        assert not data.has_ground_truth()
        assert not data[0].valid.any()
        assert not data[0].disparity.any()
        assert np.array_equal(data[0].left.permute(1, 2, 0).numpy() * 255, scene["left"])
    (tmp_path / "testing" / "image_3" / "000003_10.png").unlink()
    with pytest.raises(DataError, match=r"image_3/000003_10\.png: the file is missing; pair 000003 needs it"):
        kitti2015(KittiSettings(path=tmp_path))


def test_ground_truth_none_reads_all_frames(tmp_path, write):
    write("image_2", "image_3", "disp_occ_0", ["000001_10", "000001_11"])
    write("image_2", "image_3", "", ["000002_10"])
    data = kitti2015(KittiSettings(path=tmp_path, ground_truth="none"))
    assert data.ids() == ["000001", "000001_11", "000002"]
    assert not data.has_ground_truth()
    with pytest.raises(DataError, match="expected the folder disp_noc_0"):
        kitti2015(KittiSettings(path=tmp_path, ground_truth="noc"))


def test_a_published_list_with_three_paths_a_line(tmp_path, write):
    """As GwcNet's filenames/kitti15_val.txt names its frames."""
    write("image_2", "image_3", "disp_occ_0", ["000001_10", "000026_10", "000038_10"])
    line = "training/image_2/{0}_10.png training/image_3/{0}_10.png training/disp_occ_0/{0}_10.png\n"
    (tmp_path / "val.txt").write_text(line.format("000038") + line.format("000001"))
    data = kitti2015(KittiSettings(path=tmp_path))
    assert select(data, tmp_path / "val.txt").ids() == ["000038", "000001"]
    write("image_2", "image_3", "disp_noc_0", ["000001_10", "000038_10"])
    with pytest.raises(DataError, match=r"disp_noc_0/000038_10\.png: the list names another file"):
        select(kitti2015(KittiSettings(path=tmp_path, ground_truth="noc")), tmp_path / "val.txt")


def test_wrong_and_empty_folders(tmp_path):
    with pytest.raises(DataError, match="expected the folder disp_noc"):
        kitti2012(KittiSettings(path=tmp_path, ground_truth="noc"))
    (tmp_path / "disp_occ_0").mkdir()
    with pytest.raises(DataError, match=r"no kitti2015 samples; expected files NNNNNN_10\.png"):
        kitti2015(KittiSettings(path=tmp_path))


@pytest.mark.data
@pytest.mark.parametrize(
    ("reader", "folder", "truth", "size", "low", "high", "percent"),
    [
        (kitti2015, "kitti2015", "occ", (375, 1242), 4.6, 64.1, 19.1),
        (kitti2015, "kitti2015", "noc", (375, 1242), 4.6, 64.1, 18.8),
        (kitti2012, "kitti2012", "occ", (370, 1226), 4.4, 69.8, 35.8),
    ],
)
def test_frame_000000_has_its_published_ground_truth(shared, reader, folder, truth, size, low, high, percent):
    sample = reader(KittiSettings(path=shared / "data" / folder, ground_truth=truth))[0]
    known = sample.disparity[sample.valid]
    assert sample.id == "000000"
    assert tuple(sample.disparity.shape) == size
    assert known.min().item() == pytest.approx(low, abs=0.051)
    assert known.max().item() == pytest.approx(high, abs=0.051)
    assert 100 * sample.valid.float().mean().item() == pytest.approx(percent, abs=0.051)


@pytest.mark.data
def test_shared_noc_frames(shared):
    data = kitti2015(KittiSettings(path=shared / "data" / "kitti2015", ground_truth="noc"))
    assert [int(id) for id in data.ids()] == [0, 1, 2, 3, 4, 6, 8, 13, 20, 24, 26, 152, 159]


@pytest.mark.data
def test_shared_frames_without_ground_truth(shared):
    for folder, reader, ids in (("kitti2015_more", kitti2015, 5), ("kitti2012", kitti2012, 2)):
        data = reader(KittiSettings(path=shared / "data" / folder / "testing"))
        assert data.ids() == [f"{number:06d}" for number in range(ids)]
        assert not data.has_ground_truth()
    more = kitti2015(KittiSettings(path=shared / "data" / "kitti2015_more", ground_truth="none"))
    seconds = [id for id in more.ids() if id.endswith("_11")]
    assert [int(id[:6]) for id in seconds] == [0, 2, 4, 8, 20, 24, 26, 41, 50, 55, 57, 60]
    assert len(more) == len(seconds) + 17
