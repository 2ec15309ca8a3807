"""Point clouds: geometry by projection back into the view, the file by a reader of this test's own."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from disparsity.datasets.decoders.calibration import Calibration
from disparsity.datasets.ply import point_cloud, write_ply

CAMERA = Calibration(focal_px=100.0, centre_px=(3.5, 2.0), offset_px=1.5, baseline_mm=50.0)


def test_points_project_back_onto_their_pixels_in_both_views() -> None:
    disparity = np.random.default_rng(0).uniform(1, 20, (5, 8)).astype(np.float32)
    colours = np.arange(5 * 8 * 3, dtype=np.uint8).reshape(5, 8, 3)
    points, kept = point_cloud(disparity, colours, CAMERA)
    rows, columns = np.mgrid[:5, :8]
    left = points[:, 0] / points[:, 2] * 100 + 3.5
    right = (points[:, 0] - 50.0) / points[:, 2] * 100 + 3.5 + 1.5
    assert np.allclose(left, columns.ravel(), atol=1e-4)
    assert np.allclose(points[:, 1] / points[:, 2] * 100 + 2.0, rows.ravel(), atol=1e-4)
    assert np.allclose(left - right, disparity.ravel(), atol=1e-4)
    assert np.array_equal(kept, colours.reshape(-1, 3))


def test_unknown_pixels_give_no_point() -> None:
    disparity = np.array([[np.nan, np.inf, 0.0, -3.0, 2.0]])
    points, colours = point_cloud(disparity, np.zeros((1, 5, 3), np.uint8), CAMERA)
    assert points.shape == (1, 3)
    assert colours.shape == (1, 3)


def test_the_file_holds_what_was_given(tmp_path: Path) -> None:
    points = np.array([[1, 2, 3], [-4, 5.5, 6]], np.float32)
    colours = np.array([[0, 128, 255], [1, 2, 3]], np.uint8)
    write_ply(tmp_path / "points.ply", points, colours)
    header, _, body = (tmp_path / "points.ply").read_bytes().partition(b"end_header\n")
    assert header.splitlines()[:3] == [b"ply", b"format binary_little_endian 1.0", b"element vertex 2"]
    assert list(struct.iter_unpack("<3f3B", body)) == [(1, 2, 3, 0, 128, 255), (-4, 5.5, 6, 1, 2, 3)]
