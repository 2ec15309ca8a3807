"""Files in, files out; the command's tests look into the files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import disparsity
from disparsity.base.errors import DataError
from disparsity.datasets.decoders.pfm import read_pfm
from disparsity.evaluation.prediction import predict_files


def image(path: Path, height: int, width: int) -> Path:
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))
    return path


@pytest.mark.parametrize(("height", "width"), [(32, 64), (33, 65), (17, 40)])
def test_any_size_comes_back_in_that_size(checkpoint: Path, tmp_path: Path, height: int, width: int) -> None:
    views = image(tmp_path / "left.png", height, width), image(tmp_path / "right.png", height, width)
    paths = predict_files(str(checkpoint), None, *views, tmp_path / "out")
    assert [path.name for path in paths] == ["disparity.pfm", "disparity.png", "disparity_color.png"]
    disparity = read_pfm(paths[0])
    assert disparity.shape == (height, width)
    assert float(disparity.min()) >= 0


def test_nothing_is_written_for_an_unequal_pair(checkpoint: Path, tmp_path: Path) -> None:
    views = image(tmp_path / "left.png", 32, 64), image(tmp_path / "right.png", 32, 48)
    with pytest.raises(DataError, match="found 32x48; expected 32x64"):
        predict_files(str(checkpoint), None, *views, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_arrays_in_and_out_are_what_files_give(checkpoint: Path, tmp_path: Path) -> None:
    paths = image(tmp_path / "left.png", 33, 65), image(tmp_path / "right.png", 33, 65)
    arrays = [cv2.imread(str(path))[..., ::-1] for path in paths]
    found = disparsity.predict(*arrays, checkpoint=str(checkpoint))
    written = predict_files(str(checkpoint), None, *paths, tmp_path / "out")
    assert np.array_equal(found, read_pfm(written[0]))
    as_float = disparsity.predict(*(array.astype(np.float32) / 255 for array in arrays), checkpoint=str(checkpoint))
    assert np.allclose(as_float, found, atol=1e-4)


@pytest.mark.parametrize("wrong", [np.zeros((3, 4, 5)), np.zeros((4, 5), np.uint8), np.zeros((4, 5, 3), np.int64)])
def test_arrays_that_are_no_views_are_refused(checkpoint: Path, wrong: np.ndarray) -> None:
    with pytest.raises(DataError, match="not a view"):
        disparsity.predict(wrong, wrong, checkpoint=str(checkpoint))


def test_a_calibration_gives_points(checkpoint: Path, tmp_path: Path) -> None:
    calib = tmp_path / "calib.txt"
    calib.write_text("cam0=[50 0 32; 0 50 16; 0 0 1]\ndoffs=0\nbaseline=100\n")
    views = image(tmp_path / "left.png", 33, 65), image(tmp_path / "right.png", 33, 65)
    paths = predict_files(str(checkpoint), None, *views, tmp_path / "out", calib=calib)
    disparity = read_pfm(paths[0])
    assert f"element vertex {int((disparity > 0).sum())}".encode() in paths[-1].read_bytes()[:200]


def test_an_array_that_may_not_be_written_is_taken_and_left_alone(checkpoint: Path) -> None:
    views = np.random.default_rng(1).integers(0, 256, (2, 32, 64, 3), np.uint8)
    expected = disparsity.predict(*views.copy(), checkpoint=str(checkpoint))
    views.flags.writeable = False  # as PIL's images are
    assert np.array_equal(disparsity.predict(*views, checkpoint=str(checkpoint)), expected)
