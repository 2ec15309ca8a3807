"""Scoring: which maps are kept, whose figures are written, and what becomes of kept maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from disparsity.base.errors import CorruptArtefactError
from disparsity.checkpoint.restore import open_network
from disparsity.datasets.uri import open_data
from disparsity.evaluation.evaluation import evaluate, evaluate_all, load_panels, save_maps
from disparsity.stereo.inference import predict

URIS = [f"synthetic:?pairs={pairs}&size=32x64&seed={pairs}&max_disparity=16" for pairs in (3, 2)]


def test_a_row_says_what_was_scored(checkpoint: Path) -> None:
    data = open_data(URIS[0])
    result = evaluate(open_network(str(checkpoint), None), data, uri="here", stage="pruned", mask_disparity=12, keep=2)
    row = result.row
    assert (row["data"], row["stage"], row["images"]) == ("here", "pruned", 3)
    truths = [(sample.disparity.numpy(), sample.valid.numpy()) for sample in data]
    assert row["pixels"] == sum(int((valid & (truth > 0) & (truth < 12)).sum()) for truth, valid in truths)
    assert row["mask"] == "known ground truth > 0 and < 12 px"
    assert row["aggregation"] == "pooled over all valid pixels of all images"
    assert 0 < row["epe_px"] < 100
    assert 0 <= row["bad3_percent"] <= row["bad2_percent"] <= row["bad1_percent"] <= 100


def test_the_first_maps_are_kept_as_predicted(checkpoint: Path) -> None:
    network = open_network(str(checkpoint), None)
    results = evaluate_all(network, URIS, stage="dense", mask_disparity=0.0, pictures=2)
    assert [len(result.maps) for result in results] == [2, 0]
    assert [result.row["images"] for result in results] == [3, 2]
    assert results[0].row["mask"] == "known ground truth > 0"
    for sample, kept in zip(open_data(URIS[0]), results[0].maps, strict=False):
        np.testing.assert_array_equal(kept, predict(network, sample.left, sample.right))


def test_kept_maps_come_back_beside_their_pairs(tmp_path: Path) -> None:
    maps = [np.full((32, 64), value, np.float32) for value in (1, 2, 3, 4)]
    save_maps(tmp_path / "dense", maps[:2])
    save_maps(tmp_path / "small", maps[2:3])
    (panel,) = load_panels(URIS[0], tmp_path / "dense", tmp_path / "small")
    sample = open_data(URIS[0])[0]
    assert panel.id == sample.id
    assert (panel.dense[0, 0], panel.compressed[0, 0]) == (1, 3)
    np.testing.assert_array_equal(panel.ground_truth, sample.disparity.numpy())
    assert panel.left.dtype == np.uint8
    np.testing.assert_allclose(panel.left.transpose(2, 0, 1) / 255, sample.left.numpy(), atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"something else", b"\x80\x04."])
def test_a_damaged_map_is_named(tmp_path: Path, content: bytes) -> None:
    save_maps(tmp_path / "dense", [np.zeros((32, 64), np.float32)])
    save_maps(tmp_path / "small", [np.zeros((32, 64), np.float32)])
    (tmp_path / "small" / "00.npy").write_bytes(content)
    with pytest.raises(CorruptArtefactError, match=r"00\.npy: not a disparity map"):
        load_panels(URIS[0], tmp_path / "dense", tmp_path / "small")
