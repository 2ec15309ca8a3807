"""Exported files in ONNX Runtime: padding and cropping as torch does them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.checkpoint.restore import open_network
from disparsity.evaluation.sessions.metadata import KEY
from disparsity.evaluation.sessions.onnx import open_onnx
from disparsity.stereo.inference import predict

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.mark.parametrize("size", [(30, 61), (32, 64), (29, 64)])
def test_all_images_that_pad_to_the_size_give_torchs_disparity(
    onnx_file: Path, deployable: Path, size: tuple[int, int]
) -> None:
    left, right = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1))
    found, optimised = (open_onnx(onnx_file, optimise=each).predict(left, right) for each in (False, True))
    expected = predict(open_network(str(deployable), None), left, right)
    assert found.shape == size
    assert found.dtype == np.float32
    # A code may differ by one at a tie; a wrong crop or padding is off by far more on noise.
    difference = np.abs(found - expected) / np.ptp(expected)
    assert np.median(difference) < 1e-4
    assert difference.max() < 5e-3
    assert np.abs(optimised - expected).mean() < 0.05


@pytest.mark.parametrize("size", [(33, 64), (28, 64), (30, 65), (61, 30)])
def test_other_sizes_are_refused_in_one_line(onnx_file: Path, size: tuple[int, int]) -> None:
    height, width = size
    message = (
        rf"made for another image size; found {height}x{width}, padded .* expected 32x64 .* --size {height}x{width}"
    )
    with pytest.raises(InputError, match=message):
        open_onnx(onnx_file).predict(*torch.rand(2, 3, *size))


def test_files_that_are_missing_damaged_or_of_others(onnx_file: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_onnx(tmp_path / "none.onnx")
    for name, content in {"empty": b"", "text": b"no graph", "short": onnx_file.read_bytes()[:5000]}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CorruptArtefactError, match="ONNX Runtime cannot read the file"):
            open_onnx(tmp_path / name)
    model = onnx.load(onnx_file)
    kept = [entry for entry in model.metadata_props if entry.key != KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(InputError, match="no metadata of a network"):
        open_onnx(tmp_path / "other.onnx")
