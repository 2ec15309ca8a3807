"""SceneFlow: the layouts of its members and of the subset archive."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from disparsity.base.errors import DataError
from disparsity.datasets.readers.sceneflow import SceneFlowSettings, read_absolute_pfm, sceneflow
from disparsity.datasets.split import exclude, select


@pytest.fixture
def write(save, scene):
    def frame(root: Path, scene_name: str, name: str, suffix: str = ".png", rendering: str = "clean") -> None:
        images = root / f"frames_{rendering}pass" / scene_name
        save(images / "left" / f"{name}{suffix}", scene["left"])
        save(images / "right" / f"{name}{suffix}", scene["right"])
        save(root / "disparity" / scene_name / "left" / f"{name}.pfm", scene["disparity"])

    return frame


def test_flyingthings_subsets(tmp_path, write, scene):
    for name in ("TRAIN/A/0000", "TRAIN/C/0012", "TEST/B/0001"):
        write(tmp_path, name, "0006")
    write(tmp_path, "TRAIN/A/0000", "0007")
    test = ["TEST/B/0001/0006"]
    train = ["TRAIN/A/0000/0006", "TRAIN/A/0000/0007", "TRAIN/C/0012/0006"]
    assert sceneflow(SceneFlowSettings(path=tmp_path, subset="test")).ids() == test
    assert sceneflow(SceneFlowSettings(path=tmp_path, subset="train")).ids() == train
    data = sceneflow(SceneFlowSettings(path=tmp_path))
    assert data.ids() == test + train
    assert np.array_equal(data[0].disparity.numpy(), scene["disparity"])


def test_all_members_together(tmp_path, write):
    write(tmp_path / "FlyingThings3D", "TEST/A/0000", "0006", ".webp")
    write(tmp_path / "FlyingThings3D", "TRAIN/A/0000", "0006")
    write(tmp_path / "Monkaa", "a_rain_of_stones_x2", "0000")
    write(tmp_path / "Driving", "15mm_focallength/scene_forwards/fast", "0001")
    assert sceneflow(SceneFlowSettings(path=tmp_path, subset="test")).ids() == ["FlyingThings3D/TEST/A/0000/0006"]
    assert sceneflow(SceneFlowSettings(path=tmp_path, subset="train")).ids() == [
        "Driving/15mm_focallength/scene_forwards/fast/0001",
        "FlyingThings3D/TRAIN/A/0000/0006",
        "Monkaa/a_rain_of_stones_x2/0000",
    ]
    assert sceneflow(SceneFlowSettings(path=tmp_path / "Monkaa")).ids() == ["a_rain_of_stones_x2/0000"]


def test_the_rendering_chooses_the_images(tmp_path, write, save, scene):
    write(tmp_path, "TRAIN/A/0000", "0006")
    write(tmp_path, "TRAIN/A/0000", "0006", rendering="final")
    save(tmp_path / "frames_finalpass/TRAIN/A/0000/left/0006.png", 255 - scene["left"])
    clean = sceneflow(SceneFlowSettings(path=tmp_path))[0]
    final = sceneflow(SceneFlowSettings(path=tmp_path, rendering="final"))[0]
    assert np.allclose(clean.left + final.left, 1, atol=1e-6)


def test_the_subset_archive_with_negative_disparities(tmp_path, save, scene):
    for half in ("train", "val"):
        for side in ("left", "right"):
            save(tmp_path / half / "image_clean" / side / "0000000.png", scene[side])
            save(tmp_path / half / "disparity" / side / "0000000.pfm", -scene["disparity"])
    assert sceneflow(SceneFlowSettings(path=tmp_path, subset="train")).ids() == ["train/0000000"]
    sample = sceneflow(SceneFlowSettings(path=tmp_path, subset="test"))[0]
    assert sample.id == "val/0000000"
    assert np.array_equal(sample.disparity.numpy(), scene["disparity"])


def test_absolute_values_keep_infinity(tmp_path, save):
    path = save(tmp_path / "d.pfm", np.array([[-2.5, 3, -np.inf]], np.float32))
    assert read_absolute_pfm(path).tolist() == [[2.5, 3, np.inf]]


def test_psmnets_names_of_the_folders(tmp_path, save, scene):
    trees = {
        ("frames_cleanpass", "frames_disparity"): "TEST/A/0000",
        ("monkaa_frames_cleanpass", "monkaa_disparity"): "a_rain_of_stones_x2",
        ("driving_frames_cleanpass", "driving_disparity"): "15mm_focallength/scene_forwards/fast",
    }
    for (images, truth), name in trees.items():
        for side in ("left", "right"):
            save(tmp_path / images / name / side / "0006.png", scene[side])
        save(tmp_path / truth / name / "left" / "0006.pfm", scene["disparity"])
    data = sceneflow(SceneFlowSettings(path=tmp_path))
    driving, things = "Driving/15mm_focallength/scene_forwards/fast/0006", "FlyingThings3D/TEST/A/0000/0006"
    assert data.ids() == [driving, things, "Monkaa/a_rain_of_stones_x2/0006"]
    assert np.array_equal(data[2].disparity.numpy(), scene["disparity"])
    test = sceneflow(SceneFlowSettings(path=tmp_path, subset="test"))
    assert test.ids() == [things]
    with pytest.raises(DataError, match=r"frames_finalpass/TEST/A/0000/left/0006\.png: the file is missing"):
        sceneflow(SceneFlowSettings(path=tmp_path, rendering="final"))


def test_images_without_any_disparity_are_pairs(tmp_path, write, scene):
    write(tmp_path, "TEST/A/0000", "0006")
    write(tmp_path, "TRAIN/A/0000", "0007", ".bmp")
    shutil.rmtree(tmp_path / "disparity")
    data = sceneflow(SceneFlowSettings(path=tmp_path))
    assert data.ids() == ["TEST/A/0000/0006", "TRAIN/A/0000/0007"]
    assert not data.has_ground_truth()
    assert np.array_equal(data[1].right.permute(1, 2, 0).numpy() * 255, scene["right"])


def test_maps_in_upper_case(tmp_path, write, scene):
    write(tmp_path, "TEST/A/0000", "0006")
    folder = tmp_path / "disparity/TEST/A/0000/left"
    (folder / "0006.pfm").rename(folder / "0006.PFM")
    (sample,) = sceneflow(SceneFlowSettings(path=tmp_path))
    assert np.array_equal(sample.disparity.numpy(), scene["disparity"])


def test_the_list_of_unused_files_and_gwcnets_lists(tmp_path, write):
    for name in ("TRAIN/A/0000", "TRAIN/C/0000", "TEST/A/0005"):
        write(tmp_path, name, "0006")
        write(tmp_path, name, "0007")
    unused = tmp_path / "all_unused_files.txt"
    unused.write_text("TEST/A/0005/left/0006.png\nTRAIN/C/0000/right/0007.png\nTRAIN/B/0003/left/0012.png\n")
    data = sceneflow(SceneFlowSettings(path=tmp_path))
    rest = ["TEST/A/0005/0007", "TRAIN/A/0000/0006", "TRAIN/A/0000/0007", "TRAIN/C/0000/0006"]
    assert exclude(data, unused).ids() == rest
    line = (
        "frames_{0}pass/TEST/A/0005/left/0007.png frames_{0}pass/TEST/A/0005/right/0007.png disparity/TEST/A/0005/left/"
    )
    (tmp_path / "clean.txt").write_text(line.format("clean") + "0007.pfm\n")
    (tmp_path / "final.txt").write_text(line.format("final") + "0007.pfm\n")
    assert select(data, tmp_path / "clean.txt").ids() == ["TEST/A/0005/0007"]
    with pytest.raises(DataError, match=r"found 'frames_finalpass/.*expected ids .* paths such as .*frames_cleanpass/"):
        select(data, tmp_path / "final.txt")


def test_a_missing_partner_is_named(tmp_path, write):
    write(tmp_path, "TRAIN/A/0000", "0006")
    (tmp_path / "frames_cleanpass/TRAIN/A/0000/right/0006.png").unlink()
    with pytest.raises(DataError, match=r"right/0006\.png: the file is missing"):
        sceneflow(SceneFlowSettings(path=tmp_path))


def test_wrong_and_empty_folders(tmp_path, write):
    with pytest.raises(DataError, match="not a SceneFlow folder; expected FlyingThings3D"):
        sceneflow(SceneFlowSettings(path=tmp_path))
    write(tmp_path, "TRAIN/A/0000", "0006")
    with pytest.raises(DataError, match="PFM files of subset test"):
        sceneflow(SceneFlowSettings(path=tmp_path, subset="test"))
    with pytest.raises(DataError, match=r"frames_finalpass/TRAIN/A/0000/left/0006\.png: the file is missing"):
        sceneflow(SceneFlowSettings(path=tmp_path, rendering="final"))


@pytest.mark.data
@pytest.mark.parametrize(
    ("index", "id", "low", "high"),
    [(0, "TEST/A/0000/0006", 1.2, 99.4), (1, "TRAIN/A/0000/0006", 1.2, 152.1), (2, "TRAIN/B/0749/0015", 1.3, 94.9)],
)
def test_shared_flyingthings_ground_truth(shared, index, id, low, high):
    sample = sceneflow(SceneFlowSettings(path=shared / "data" / "flyingthings3d"))[index]
    assert sample.id == id
    assert tuple(sample.left.shape) == (3, 540, 960)
    assert sample.valid.all()
    assert sample.disparity.min().item() == pytest.approx(low, abs=0.051)
    assert sample.disparity.max().item() == pytest.approx(high, abs=0.051)
