"""Files in, files out; the command's tests look into the files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from disparsity.datasets.pfm import read_pfm
from disparsity.errors import DataError
from disparsity.prediction import predict_files


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
