"""Plain pairs: patterns of names and published lists, written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from disparsity.base.errors import DataError, InputError
from disparsity.datasets.readers.plain import ListSettings, PlainSettings, open_listed, open_plain, read_disparity


def test_a_folder_pairs_files_by_what_the_star_stands_for(tmp_path, save, scene):
    for id in ("b", "a"):
        save(tmp_path / "left" / f"{id}.png", scene["left"])
        save(tmp_path / "right" / f"{id}.bmp", scene["right"])
    data = open_plain(PlainSettings(path=tmp_path))
    assert (data.ids(), data.has_ground_truth()) == (["a", "b"], False)
    save(tmp_path / "disparity" / "b.pfm", scene["disparity"])
    data = open_plain(PlainSettings(path=tmp_path))
    assert (data.ids(), data.has_ground_truth()) == (["b"], True)
    assert np.array_equal(data[0].disparity.numpy(), scene["disparity"])
    assert np.array_equal(data[0].right.permute(1, 2, 0).numpy() * 255, scene["right"])


def test_patterns_and_what_is_missing(tmp_path, save, scene):
    for number in ("000001", "000002"):
        save(tmp_path / f"left{number}.png", scene["left"])
    save(tmp_path / "right000001.png", scene["right"])
    settings = {"path": tmp_path, "left": "left*.png", "right": "right*.png"}
    with pytest.raises(DataError, match=r"right000002\.png: the file is missing; pair 000002 needs it"):
        open_plain(PlainSettings(**settings))
    (tmp_path / "left000002.png").unlink()
    assert open_plain(PlainSettings(**settings)).ids() == ["000001"]
    for pattern in ("left", "*/*.png"):
        with pytest.raises(InputError, match=r"not a pattern of names; found .*; expected one \*"):
            open_plain(PlainSettings(**settings | {"left": pattern}))
    with pytest.raises(DataError, match=r"no folder samples; expected images left/\* and right/\*"):
        open_plain(PlainSettings(path=tmp_path))


def test_a_list_of_three_paths_a_line(tmp_path, save, scene):
    lines = []
    for number in range(2):
        for side in ("left", "right"):
            save(tmp_path / "frames_finalpass" / "TRAIN" / side / f"000{number}.png", scene[side])
        save(tmp_path / "disparity" / "TRAIN" / "left" / f"000{number}.pfm", scene["disparity"] + number)
        sides = (f"frames_finalpass/TRAIN/{side}/000{number}.png" for side in ("left", "right"))
        lines.append(" ".join([*sides, f"disparity/TRAIN/left/000{number}.pfm"]))
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "train.txt").write_text("\n".join(lines) + "\n")
    data = open_listed(ListSettings(path=tmp_path / "lists" / "train.txt", root=tmp_path))
    assert data.ids() == ["frames_finalpass/TRAIN/left/0000", "frames_finalpass/TRAIN/left/0001"]
    assert np.array_equal(data[1].disparity.numpy(), scene["disparity"] + 1)
    (tmp_path / "test.txt").write_text("\n".join(line.rsplit(" ", 1)[0] for line in lines))
    data = open_listed(ListSettings(path=tmp_path / "test.txt"))
    assert (len(data), data.has_ground_truth()) == (2, False)


@pytest.mark.parametrize("content", ["a.png\n", "a.png b.png\nc.png d.png e.pfm\n", "a b c d\n"])
def test_what_is_no_list_of_pairs(tmp_path, content):
    (tmp_path / "list.txt").write_text(content)
    with pytest.raises(DataError, match=r"list\.txt: not a list of pairs; found .*; expected left right, or"):
        open_listed(ListSettings(path=tmp_path / "list.txt"))


def test_disparity_by_suffix(tmp_path, save):
    values = np.array([[0, 512], [640, 65535]], np.uint16)
    deep = save(tmp_path / "a.png", values)
    assert np.array_equal(read_disparity(deep), values / np.float32(256))
    assert np.array_equal(read_disparity(deep, 100), values / np.float32(100))
    gray = save(tmp_path / "b.png", (values // 257).astype(np.uint8))
    assert np.array_equal(read_disparity(gray, 3), (values // 257) / np.float32(3))
    with pytest.raises(DataError, match=r"b\.png: the scale .* found 8 bits; add \?scale="):
        read_disparity(gray)
    maps = save(tmp_path / "c.pfm", values.astype(np.float32))
    assert np.array_equal(read_disparity(maps.rename(tmp_path / "c.PFM")), values)
    with pytest.raises(DataError, match=r"d\.exr: unknown kind of disparity map; expected \.pfm, \.npz"):
        read_disparity(tmp_path / "d.exr")


@pytest.mark.data
def test_the_shared_driving_pair(shared):
    settings = PlainSettings(path=shared / "data" / "sceneflow_driving", left="left*.png", right="right*.png")
    (sample,) = open_plain(settings)
    assert sample.id == "000001"
    assert tuple(sample.left.shape) == (3, 540, 960)
    assert not sample.valid.any()
