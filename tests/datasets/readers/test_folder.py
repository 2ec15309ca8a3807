"""Pairs on disk: validity, sizes, ids, fingerprints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.pfm import read_pfm
from disparsity.datasets.readers.folder import FolderDataset, decode_pair
from disparsity.datasets.readers.listing import Pair


@pytest.fixture
def pair(tmp_path, save, scene) -> Pair:
    return Pair(
        id="a",
        left=str(save(tmp_path / "l.png", scene["left"])),
        right=str(save(tmp_path / "r.png", scene["right"])),
        disparity=str(save(tmp_path / "d.pfm", scene["disparity"])),
        decode=read_pfm,
    )


def test_tensors_follow_the_contract(pair, scene):
    sample = decode_pair(pair)
    assert sample.left.shape == sample.right.shape == (3, 12, 20)
    assert sample.left.dtype == sample.disparity.dtype == torch.float32
    assert sample.valid.dtype == torch.bool
    assert sample.left[2, 5, 7].item() == np.float32(scene["left"][5, 7, 2]) / np.float32(255)
    assert np.array_equal(sample.disparity.numpy(), scene["disparity"])
    assert np.array_equal(sample.valid.numpy(), scene["disparity"] > 0)


def test_negative_infinite_and_nan_disparities_are_unknown_and_stored_as_0(pair, save, scene):
    disparity = scene["disparity"] + 1
    disparity[0, :5] = [np.inf, -np.inf, np.nan, -3, 0]
    save(Path(pair.disparity), disparity)
    sample = decode_pair(pair)
    assert sample.valid[0, :6].tolist() == [False] * 5 + [True]
    assert sample.disparity[0, :5].tolist() == [0] * 5


def test_the_mask_keeps_255_only(pair, save, scene):
    mask = np.resize(np.array([0, 128, 255], np.uint8), (12, 20))
    pair = replace(pair, mask=str(save(Path(pair.left).with_name("m.png"), mask)))
    assert np.array_equal(decode_pair(pair).valid.numpy(), (scene["disparity"] > 0) & (mask == 255))


@pytest.mark.parametrize("name", ["r.png", "d.pfm", "m.png"])
def test_different_sizes_are_refused_naming_both_files_and_sizes(pair, save, scene, name):
    mask = save(Path(pair.left).with_name("m.png"), np.zeros((12, 20), np.uint8))
    other = {"r.png": scene["left"], "d.pfm": scene["disparity"]}.get(name, np.eye(12) > 0)
    save(Path(pair.left).with_name(name), other[1:])
    if name == "m.png":
        save(mask, np.zeros((11, 20), np.uint8))
    with pytest.raises(DataError) as caught:
        decode_pair(replace(pair, mask=str(mask)))
    for part in (name, "l.png", "20x11", "20x12"):
        assert part in str(caught.value)


def test_colour_disparity_is_refused(pair):
    Path(pair.disparity).write_bytes(b"PF\n20 12\n-1\n" + b"\0" * 20 * 12 * 12)
    with pytest.raises(DataError, match="has colours"):
        decode_pair(pair)


def test_listing_is_sorted_lazy_and_random_access_agrees_with_iteration(pair, tmp_path):
    missing = replace(pair, id="b", left=str(tmp_path / "none.png"))
    data = FolderDataset("test", tmp_path, [missing, pair], "pairs")
    assert data.ids() == ["a", "b"]
    assert len(data) == 2
    assert torch.equal(next(iter(data)).left, data[0].left)
    with pytest.raises(DataError, match=r"none\.png: no such file"):
        data[1]
    with pytest.raises(IndexError):
        data[2]


def test_empty_sets_and_duplicate_ids_are_refused(pair, tmp_path):
    with pytest.raises(DataError, match="no test samples; expected pairs"):
        FolderDataset("test", tmp_path, [], "pairs")
    with pytest.raises(DataError, match="two samples have the id a"):
        FolderDataset("test", tmp_path, [pair, pair], "pairs")


def test_the_fingerprint_depends_on_names_and_sizes_but_not_on_the_place(pair, tmp_path, save, scene):
    def moved(root: Path) -> FolderDataset:
        for name, key in (("l.png", "left"), ("r.png", "right"), ("d.pfm", "disparity")):
            save(root / name, scene[key])
        paths = {"left": f"{root}/l.png", "right": f"{root}/r.png", "disparity": f"{root}/d.pfm"}
        return FolderDataset("test", root, [replace(pair, **paths)], "")

    first, second = moved(tmp_path / "one").fingerprint(), moved(tmp_path / "two").fingerprint()
    assert first == second
    assert len(first) == 16
    data = moved(tmp_path / "two")
    save(tmp_path / "two" / "d.pfm", scene["disparity"][1:])
    assert data.fingerprint() != first
