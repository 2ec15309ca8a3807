"""A network that is opened once: the same maps from files, arrays and tensors, and what it says of itself."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

import disparsity
from disparsity.api import network as api_network
from disparsity.base.errors import DataError, InputError
from disparsity.checkpoint.restore import open_network
from disparsity.datasets.decoders.pfm import read_pfm
from disparsity.stereo.networks import build_network
from disparsity.stereo.spec import NetworkSpec


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Two images of a size that no divisor divides."""
    images = np.random.default_rng(0).integers(0, 256, (2, 33, 65, 3), np.uint8)
    paths = tmp_path / "left.png", tmp_path / "right.png"
    for path, image in zip(paths, images, strict=True):
        cv2.imwrite(str(path), image)
    return paths


def test_files_arrays_and_tensors_give_the_same(checkpoint: Path, files: tuple[Path, Path]) -> None:
    network = disparsity.load(checkpoint)
    arrays = [cv2.imread(str(path))[..., ::-1] for path in files]
    tensors = [torch.from_numpy(array.transpose(2, 0, 1).copy()) for array in arrays]
    found = network.predict(*files)
    assert found.shape == (33, 65)
    assert float(found.min()) >= 0
    for views in (map(str, files), arrays, tensors, [tensor.float() / 255 for tensor in tensors]):
        assert np.array_equal(network.predict(*views), found)
    module, views = open_network(str(checkpoint), None), [tensor[None] / 255 for tensor in tensors]
    with torch.no_grad():
        expected = module(*views)[-1][0].clamp(min=0).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_checkpoint_is_opened_once(
    checkpoint: Path, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = disparsity.load(checkpoint)
    monkeypatch.setattr(api_network, "open_in_runtime", None)
    assert np.array_equal(network.predict(*files), disparsity.predict(*files, network))
    assert disparsity.load(network) is network


def test_files_are_written_too(checkpoint: Path, files: tuple[Path, Path], tmp_path: Path) -> None:
    found = disparsity.predict(*files, checkpoint, out=tmp_path / "out")
    assert np.array_equal(read_pfm(tmp_path / "out" / "disparity.pfm"), found)


def test_a_packed_file_is_the_network_that_was_packed(finished: Path, quantized: Path) -> None:
    packed, stored = disparsity.load(finished / "compressed.h5"), disparsity.load(quantized)
    view = torch.rand(3, 32, 64, generator=torch.Generator().manual_seed(0))
    assert (packed.name, packed.stage) == ("reference", "quantized")
    assert np.array_equal(packed.predict(view, view), stored.predict(view, view))
    assert 0 < (finished / "compressed.h5").stat().st_size - packed.packed_bytes < 1000  # the container of HDF5
    with pytest.raises(InputError, match="checkpoint of another network; found reference; expected stereonet"):
        disparsity.load(finished / "compressed.h5", "stereonet")


def test_masks_and_bits_are_the_networks(deployable: Path) -> None:
    network, module = disparsity.load(deployable), open_network(str(deployable), None)
    for name, mask in network.masks.items():
        layer = module.get_submodule(name)
        axis = 1 if isinstance(layer, nn.ConvTranspose2d | nn.ConvTranspose3d) else 0
        assert np.array_equal(mask, layer.weight.detach().movedim(axis, 0).numpy() != 0)
    assert set(network.weight_bits.values()) == {4, 8}


def test_a_fresh_network_and_a_module_of_ones_own() -> None:
    torch.manual_seed(0)
    expected = build_network("reference").state_dict()
    found = disparsity.load(network="reference").module.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())

    class Constant(nn.Module):
        spec = NetworkSpec(
            name="constant", settings={}, divisor=1, mean=(0.0,) * 3, std=(1.0,) * 3, max_disparity=9, protected=()
        )

        def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
            return left[:, 0] * 0 + 4

    network = disparsity.load(Constant())
    assert np.array_equal(network.predict(*torch.rand(2, 3, 5, 7)), np.full((5, 7), 4, np.float32))


def test_what_cannot_be_loaded_or_seen(checkpoint: Path, onnx_file: Path, files: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match="nothing to load; expected a checkpoint, or the name of a network"):
        disparsity.load()
    with pytest.raises(InputError, match="nowhere: no such checkpoint"):
        disparsity.load("nowhere")
    with pytest.raises(InputError, match="not a stereo network"):
        disparsity.load(nn.Conv2d(3, 3, 1))
    with pytest.raises(InputError, match="an exported file holds no torch module; load its checkpoint"):
        disparsity.load(onnx_file, runtime="onnxruntime").module  # noqa: B018
    with pytest.raises(DataError, match=r"left: not a view; found torch\.float32 of shape"):
        disparsity.load(checkpoint).predict(torch.rand(4, 5, 6), files[1])
