"""One pair in any form, and the files of its disparity; the command's tests look into the files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.calibration import read_calib_txt
from disparsity.evaluation.prediction import predict_pair, views_of, write_disparity
from disparsity.evaluation.runtimes import open_in_runtime


def image(path: Path, height: int, width: int) -> Path:
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))
    return path


@pytest.mark.parametrize(("height", "width"), [(32, 64), (33, 65), (17, 40)])
def test_any_size_comes_back_in_that_size(checkpoint: Path, height: int, width: int) -> None:
    view = torch.rand(3, height, width, generator=torch.Generator().manual_seed(0))
    disparity = predict_pair(open_in_runtime(str(checkpoint), None, "torch"), view, view)
    assert disparity.shape == (height, width)
    assert float(disparity.min()) >= 0


def test_an_unequal_pair(tmp_path: Path) -> None:
    views = image(tmp_path / "left.png", 32, 64), image(tmp_path / "right.png", 32, 48)
    with pytest.raises(DataError, match=r"right\.png: the two views differ in size; found 32x48; expected 32x64 as in"):
        views_of(*views)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((3, 4, 5)), np.zeros((4, 5), np.uint8), np.zeros((4, 5, 3), np.int64), torch.zeros(4, 5, 3),
     torch.zeros(3, 4, 5, dtype=torch.int32)],
)  # fmt: skip
def test_what_is_no_view_is_refused(wrong: np.ndarray | torch.Tensor) -> None:
    with pytest.raises(DataError, match="left: not a view"):
        views_of(wrong, wrong)


def test_a_calibration_gives_points_in_the_colours_of_the_left_view(tmp_path: Path) -> None:
    calib = tmp_path / "calib.txt"
    calib.write_text("cam0=[50 0 32; 0 50 16; 0 0 1]\ndoffs=0\nbaseline=100\n")
    left = image(tmp_path / "left.png", 4, 5)
    disparity = np.full((4, 5), 2, np.float32)
    disparity[0, 0] = 0
    paths = write_disparity(tmp_path / "out", disparity, views_of(left, left)[0], read_calib_txt(calib))
    content = paths[-1].read_bytes()
    assert b"element vertex 19\n" in content
    colours = cv2.imread(str(left))[..., ::-1].reshape(-1, 3)[1:]
    points = np.frombuffer(content.partition(b"end_header\n")[2], np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3)]))
    assert np.array_equal(points["rgb"], colours)


def test_an_array_that_may_not_be_written_is_taken_and_left_alone() -> None:
    views = np.random.default_rng(1).integers(0, 256, (2, 32, 64, 3), np.uint8)
    expected = views_of(*views.copy())
    views.flags.writeable = False  # as PIL's images are
    assert all(torch.equal(*pair) for pair in zip(views_of(*views), expected, strict=True))
