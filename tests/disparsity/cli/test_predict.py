"""`predict`: three files with the network's disparity in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from disparsity.checkpoint.restore import open_network
from disparsity.datasets.decoders.pfm import read_pfm
from disparsity.stereo.inference import predict

FILES = ["disparity.pfm", "disparity.png", "disparity_color.png"]


@pytest.fixture
def views(kitti: Path) -> tuple[Path, Path]:
    return kitti / "training" / "image_2" / "000000_10.png", kitti / "training" / "image_3" / "000000_10.png"


def expected(checkpoint: Path, views: tuple[Path, Path]) -> NDArray[np.float32]:
    images = [cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1] for path in views]
    left, right = (torch.from_numpy(image.transpose(2, 0, 1) / np.float32(255)) for image in images)
    return np.maximum(predict(open_network(str(checkpoint), None), left, right), 0)


def test_three_files(run_main: Callable[..., str], checkpoint: Path, views: tuple[Path, Path], tmp_path: Path) -> None:
    printed = run_main("predict", checkpoint, *views, "--out", tmp_path / "deep" / "out")
    folder = tmp_path / "deep" / "out"
    assert printed.splitlines() == [str(folder / name) for name in FILES]
    assert sorted(path.name for path in folder.iterdir()) == FILES
    disparity = read_pfm(folder / "disparity.pfm")
    np.testing.assert_allclose(disparity, expected(checkpoint, views), rtol=1e-4, atol=1e-4)
    codes = cv2.imread(str(folder / "disparity.png"), cv2.IMREAD_UNCHANGED)
    assert codes.dtype == np.uint16
    assert np.abs(codes / 256 - disparity).max() <= 1 / 256
    colours = cv2.imread(str(folder / "disparity_color.png"), cv2.IMREAD_UNCHANGED)
    assert colours.shape == (*disparity.shape, 3)
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) > 1


@pytest.mark.parametrize("values", [(0.0, 0.0), (300.0, 5.0), (float("nan"), 2.0), (-4.0, 3.0)])
def test_disparities_that_the_png_cannot_hold_are_unknown_there(
    run_main: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    checkpoint: Path,
    views: tuple[Path, Path],
    tmp_path: Path,
    values: tuple[float, float],
) -> None:
    estimate = np.tile(np.array(values, np.float32), (32, 32))
    monkeypatch.setattr("disparsity.evaluation.runtimes.predict", lambda *_: estimate)
    run_main("predict", checkpoint, *views, "--out", tmp_path)
    np.testing.assert_array_equal(read_pfm(tmp_path / "disparity.pfm"), np.maximum(estimate, 0))
    codes = cv2.imread(str(tmp_path / "disparity.png"), cv2.IMREAD_UNCHANGED)
    assert codes[0].tolist()[:2] == [0, round(values[1] * 256)]


def test_a_file_where_the_folder_should_be(
    refused: Callable[..., str], checkpoint: Path, views: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("mine")
    assert "out is a file; expected a folder" in refused(2, "predict", checkpoint, *views, "--out", tmp_path / "out")
