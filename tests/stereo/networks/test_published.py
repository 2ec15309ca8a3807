"""Published files: the golden accuracy, refusals of other networks, and files that must never be executed."""

from __future__ import annotations

import io
import os
import pickle  # noqa: TID251 - the attack that is tested
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from disparsity.base.errors import CorruptArtefactError, DisparsityError, InputError
from disparsity.datasets.uri import open_data
from disparsity.stereo.inference import score
from disparsity.stereo.metrics import pooled
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.published import load_published


@pytest.mark.data
@pytest.mark.slow
def test_published_stereonet_reaches_its_measured_accuracy(shared: Path) -> None:
    # measured with an independent script; other preprocessing gives EPE 1.84 (x/255), 2.35 (BGR), 8.05 (ImageNet)
    network = load_published(shared / "weights/stereonet/train_save_sceneflow.tar", "stereonet")
    pairs = open_data(f"sceneflow:{shared / 'data/flyingthings3d'}?subset=test&pass=clean")
    assert len(pairs) == 1
    figures = pooled(score(network, pairs, max_disparity=192.0))
    assert figures["epe_px"] == pytest.approx(1.3736, abs=5e-4)
    assert figures["d1_percent"] == pytest.approx(6.0538, abs=5e-3)
    assert figures["bad1_percent"] == pytest.approx(24.8, abs=0.05)
    assert figures["bad3_percent"] == pytest.approx(7.73, abs=0.01)


def state() -> dict[str, torch.Tensor]:
    return build_network("stereonet").state_dict()


@pytest.mark.parametrize("wrapped", [None, "state_dict", "model_state_dict"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_plain_and_wrapped_states_load(tmp_path: Path, wrapped: str | None, prefix: str) -> None:
    tensors = {prefix + name: tensor for name, tensor in state().items() if not name.endswith("num_batches_tracked")}
    torch.save({wrapped: tensors, "epoch": 3} if wrapped else tensors, tmp_path / "a.tar")
    loaded = load_published(tmp_path / "a.tar", "stereonet").state_dict()
    rescaled = {prefix + name for name in ("refine.0.weight", "refine.7.weight", "refine.7.bias")}
    same = tensors.keys() - rescaled
    assert all(torch.equal(loaded[name.removeprefix("module.")], tensors[name]) for name in same)
    assert torch.equal(loaded["refine.0.weight"][:, 1:], tensors[f"{prefix}refine.0.weight"][:, 1:])
    assert torch.equal(loaded["refine.0.weight"][:, 0], 64 * tensors[f"{prefix}refine.0.weight"][:, 0])
    assert torch.equal(loaded["refine.7.bias"], tensors[f"{prefix}refine.7.bias"] / 64)


def test_another_network_lists_missing_unexpected_and_mis_shaped(tmp_path: Path) -> None:
    tensors = state()
    del tensors["downsampling.3.weight"]
    tensors["stranger"] = torch.zeros(1)
    tensors["refine.0.weight"] = torch.zeros(8, 4, 3, 3)
    torch.save(tensors, tmp_path / "a.tar")
    with pytest.raises(InputError) as caught:
        load_published(tmp_path / "a.tar", "stereonet")
    message = str(caught.value)
    assert str(tmp_path / "a.tar") in message
    assert "missing ['downsampling.3.weight']" in message
    assert "unexpected ['stranger']" in message
    assert "mis-shaped ['refine.0.weight (8, 4, 3, 3) for (32, 4, 3, 3)']" in message
    assert "--network" in message


def test_only_the_first_five_differences_are_listed(tmp_path: Path) -> None:
    torch.save({f"w{i}": torch.zeros(1) for i in range(9)}, tmp_path / "a.tar")
    with pytest.raises(InputError, match=r"unexpected \['w0', 'w1', 'w2', 'w3', 'w4'\]"):
        load_published(tmp_path / "a.tar", "stereonet")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.tar: no such checkpoint"):
        load_published(tmp_path / "gone.tar", "stereonet")


class Canary:
    """Touches a file when it is unpickled by a reader that executes code."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.path),)


def malicious_files(folder: Path, canary: Path) -> dict[str, Path]:
    files = {name: folder / name for name in ("bare.tar", "zip.pth", "legacy.tar", "nested.tar", "renamed.pt")}
    files["bare.tar"].write_bytes(pickle.dumps(Canary(canary)))
    torch.save({"state_dict": Canary(canary)}, files["zip.pth"])
    torch.save({"state_dict": Canary(canary)}, files["legacy.tar"], _use_new_zipfile_serialization=False)
    torch.save({"state_dict": {**state(), "extra": Canary(canary)}}, files["nested.tar"])
    torch.save(Canary(canary), files["renamed.pt"])
    return files


@pytest.mark.parametrize("kind", ["bare.tar", "zip.pth", "legacy.tar", "nested.tar", "renamed.pt"])
def test_malicious_pickles_are_refused_and_never_executed(tmp_path: Path, kind: str) -> None:
    canary = tmp_path / "executed"
    path = malicious_files(tmp_path, canary)[kind]
    with pytest.raises(InputError, match=r"a Python pickle, which is|Python objects, which are never loaded") as caught:
        load_published(path, "stereonet")
    assert not canary.exists()
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def saved(legacy: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save({"state_dict": {"a": torch.arange(60.0)}}, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("legacy", [False, True])
def test_truncated_anywhere_is_refused(tmp_path: Path, legacy: bool) -> None:
    content, path = saved(legacy), tmp_path / "cut.tar"
    for length in np.linspace(0, len(content) - 1, 65).astype(int):
        path.write_bytes(content[:length])
        with pytest.raises(DisparsityError, match=r"cut\.tar: (damaged|not a file of weights; found an empty file)"):
            load_published(path, "stereonet")


@pytest.mark.slow
@pytest.mark.parametrize("legacy", [False, True])
def test_damaged_bytes_give_errors_of_the_family_only(tmp_path: Path, legacy: bool) -> None:
    content, path, rng = saved(legacy), tmp_path / "hit.tar", np.random.default_rng(0)
    for _ in range(100):
        damaged = bytearray(content)
        for place in rng.integers(len(content), size=rng.integers(1, 4)):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        with pytest.raises(DisparsityError):
            load_published(path, "stereonet")


@pytest.mark.parametrize("content", [b"\x80\x02X.", b"PK\x03\x04", bytes(4096)])
def test_damaged_bytes_are_corrupt(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(CorruptArtefactError, match="damaged, or not a torch archive; fetch or copy"):
        load_published(tmp_path / "a.tar", "stereonet")


def test_foreign_archives_and_contents_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "zip.tar", "w") as archive:
        archive.writestr("readme", "hello")
    with pytest.raises(CorruptArtefactError):
        load_published(tmp_path / "zip.tar", "stereonet")
    for number, value in enumerate(
        ([1, 2], torch.zeros(2), {"state_dict": {"a": 1}}, {"epoch": 1}, {3: torch.ones(1)})
    ):
        path = tmp_path / f"{number}.tar"
        torch.save(value, path)
        with pytest.raises(InputError, match="no table of tensors"):
            load_published(path, "stereonet")
