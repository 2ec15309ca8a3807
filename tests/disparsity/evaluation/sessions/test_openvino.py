"""Exported folders in OpenVINO: the map of torch, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.checkpoint.restore import open_network
from disparsity.evaluation.sessions.openvino import open_openvino
from disparsity.stereo.inference import predict

openvino = pytest.importorskip("openvino")


@pytest.mark.parametrize("size", [(30, 61), (29, 64)])
def test_the_disparity_of_torch(openvino_folder: Path, deployable: Path, size: tuple[int, int]) -> None:
    left, right = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1))
    found = open_openvino(openvino_folder).predict(left, right)
    expected = predict(open_network(str(deployable), None), left, right)
    assert (found.shape, found.dtype) == (size, np.float32)
    # A code may differ by one at a tie; a wrong crop or padding is off by far more on noise.
    assert np.abs(found - expected).mean() < 0.05


def test_it_has_the_threads_of_torch_and_computes_in_float32(openvino_folder: Path) -> None:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        compiled = open_openvino(openvino_folder).compiled
    finally:
        torch.set_num_threads(threads)
    assert compiled.get_property("INFERENCE_NUM_THREADS") == 2
    assert compiled.get_property("INFERENCE_PRECISION_HINT") == openvino.Type.f32


def test_folders_that_are_missing_damaged_or_of_others(openvino_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not an OpenVINO export; expected a folder with network\.xml"):
        open_openvino(tmp_path / "none")
    for name in ("network.xml", "network.bin"):
        folder = shutil.copytree(openvino_folder, tmp_path / name)
        (folder / name).write_bytes((openvino_folder / name).read_bytes()[:1000])
        with pytest.raises(CorruptArtefactError, match="OpenVINO cannot read the folder"):
            open_openvino(folder)
    folder = shutil.copytree(openvino_folder, tmp_path / "other")
    text = (folder / "network.xml").read_text().replace("<disparsity", "<another").replace("</disparsity", "</another")
    (folder / "network.xml").write_text(text)
    with pytest.raises(InputError, match="no metadata of a network"):
        open_openvino(folder)


def test_without_its_weights(openvino_folder: Path, tmp_path: Path) -> None:
    shutil.copy(openvino_folder / "network.xml", tmp_path)
    with pytest.raises(CorruptArtefactError, match="OpenVINO cannot read the folder"):
        open_openvino(tmp_path)
