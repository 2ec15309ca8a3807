"""Verification: one fault of each kind, in a tree of otherwise sound pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from disparsity.datasets.packed.writer import pack
from disparsity.datasets.readers.listing import Listing
from disparsity.datasets.uri import list_data, open_data
from disparsity.datasets.verification import (
    Fault,
    printable,
    verification,
    verify_dataset,
    verify_listing,
    verify_lists,
)

FRAMES = 8


@pytest.fixture
def tree(tmp_path, save, scene) -> Path:
    for frame in range(FRAMES):
        name = f"00000{frame}_10.png"
        save(tmp_path / "k/image_2" / name, scene["left"])
        save(tmp_path / "k/image_3" / name, scene["right"])
        codes = np.where(scene["disparity"] < 19, scene["disparity"] * 256, 0).astype(np.uint16)
        save(tmp_path / "k/disp_occ_0" / name, codes)
    return tmp_path / "k"


def listed(tree: Path) -> Listing:
    listing = list_data(f"kitti2015:{tree}")
    assert listing is not None
    return listing


def test_sound_pairs_have_no_fault(tree, tmp_path):
    assert list(verify_listing(listed(tree))) == []
    pack(open_data(f"kitti2015:{tree}"), tmp_path / "x.h5")
    assert list_data(f"packed:{tmp_path / 'x.h5'}") is None
    assert list(verify_dataset(open_data(f"packed:{tmp_path / 'x.h5'}"))) == []


def test_every_fault_is_listed_with_its_kind_and_place(tree, save, scene):
    (tree / "image_3/000000_10.png").unlink()
    (tree / "image_2/000000_10.png").unlink()
    save(tree / "image_3/000001_10.png", scene["right"][1:])
    save(tree / "disp_occ_0/000002_10.png", (scene["disparity"]).astype(np.uint8))
    cut = tree / "image_2/000003_10.png"
    cut.write_bytes(cut.read_bytes()[:-20])
    save(tree / "disp_occ_0/000004_10.png", np.zeros((12, 20), np.uint16))
    beyond = np.zeros((12, 20), np.uint16)
    beyond[3, 4:6] = 20 * 256
    save(tree / "disp_occ_0/000005_10.png", beyond)
    save(tree / "image_2/000006_10.png", np.zeros((12, 20), np.uint16))
    found = list(verify_listing(listed(tree)))
    assert [(fault.kind, fault.id) for fault in found] == [
        ("missing_file", "000000"),
        ("missing_file", "000000"),
        ("unequal_sizes", "000001"),
        ("wrong_bit_depth", "000002"),
        ("undecodable", "000003"),
        ("no_ground_truth", "000004"),
        ("disparity_out_of_range", "000005"),
        ("wrong_bit_depth", "000006"),
    ]
    assert "image_2/000000_10.png: the file is missing" in found[0].message
    assert "found 20x11" in found[2].message
    assert "2 disparities out of range; found up to 20 px; expected < 20 px" in found[6].message
    assert list(verify_listing(listed(tree), max_disparity=21.0)) == [*found[:6], found[7]]


def test_duplicates_and_empty_listings(tree):
    listing = listed(tree)
    twice = Listing(name="x", root=tree, pairs=[*listing.pairs, listing.pairs[2]], expected="pairs")
    assert [(fault.kind, fault.id) for fault in verify_listing(twice)] == [("duplicate_id", "000002")]
    (fault,) = verify_listing(Listing(name="x", root=tree, pairs=[], expected="pairs"))
    assert fault.kind == "no_samples"


def test_lists_that_overlap_however_the_ids_are_written(tree, tmp_path):
    lists = [tmp_path / name for name in ("train.txt", "test.txt", "wrong.txt")]
    for path, text in zip(lists, ("1\n2\n3\n", "000003\n000004\n2\n", "99\n"), strict=True):
        path.write_text(text)
    found = list(verify_lists(listed(tree).samples(), lists))
    assert [(fault.kind, fault.id) for fault in found] == [
        ("wrong_list", ""),
        ("overlapping_lists", "000002"),
        ("overlapping_lists", "000003"),
    ]
    assert str(lists[0]) in found[1].message
    assert str(lists[1]) in found[1].message


def test_damaged_packed_data_is_a_fault(tree, tmp_path):
    path = tmp_path / "x.h5"
    pack(open_data(f"kitti2015:{tree}"), path)
    data = open_data(f"packed:{path}")
    content = bytearray(path.read_bytes())
    place = len(content) // 2
    content[place : place + 64] = bytes(64)
    path.write_bytes(content)
    assert {fault.kind for fault in verify_dataset(data)} == {"undecodable"}


def test_the_result_counts_by_kind_and_escapes_what_is_no_text():
    fault = Fault(kind="undecodable", id="a", message="b")
    assert verification("kitti2015:x", 5, [fault, fault]) == {
        "schema": "disparsity.verification",
        "version": 1,
        "data": "kitti2015:x",
        "samples": 5,
        "counts": {"undecodable": 2},
        "faults": [{"kind": "undecodable", "id": "a", "message": "b"}] * 2,
    }
    assert printable(b"a\xffb".decode(errors="surrogateescape")) == "a\\udcffb"
