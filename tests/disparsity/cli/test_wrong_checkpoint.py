"""Checkpoints and packed files that are missing, damaged or of another network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from disparsity.checkpoint.checkpoints import load_checkpoint, save_checkpoint
from disparsity.stereo.networks import build_network

Refused = Callable[..., str]
DATA = "synthetic:?pairs=1&size=32x64"


@pytest.fixture
def broken(checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint to damage."""
    return Path(shutil.copytree(checkpoint, tmp_path / "broken"))


def every_reader(refused: Refused, kitti: Path, code: int, path: object, *more: str) -> list[str]:
    """What every command that reads a checkpoint says about `path`."""
    left, right = (kitti / "training" / side / "000000_10.png" for side in ("image_2", "image_3"))
    out = kitti.parent / "out"
    lines = [
        refused(code, "evaluate", path, "--data", DATA, "--json", out, *more),
        refused(code, "predict", path, left, right, "--out", out, *more),
        refused(code, "cost", path, "--size", "32x64", "--out", out, *more),
        refused(code, "export", path, "--format", "packed", "--out", out, *more),
    ]
    assert not out.exists()
    return lines


@pytest.mark.parametrize("name", ["builtin:nowhere", "no/where", "nowhere.tar"])
def test_a_missing_checkpoint(refused: Refused, kitti: Path, name: str) -> None:
    for line in every_reader(refused, kitti, 2, name):
        assert f"{name}: no such checkpoint" in line


def test_a_folder_without_a_checkpoint(refused: Refused, kitti: Path, tmp_path: Path) -> None:
    for line in every_reader(refused, kitti, 2, tmp_path):
        assert "checkpoint.json: no such checkpoint" in line


def test_a_damaged_tensor_file(refused: Refused, kitti: Path, broken: Path) -> None:
    (tensors,) = broken.glob("*.safetensors")
    content = bytearray(tensors.read_bytes())
    content[-5] ^= 1
    tensors.write_bytes(content)
    for line in every_reader(refused, kitti, 3, broken):
        assert f"{tensors}: checksum mismatch" in line
    tensors.unlink()
    for line in every_reader(refused, kitti, 3, broken):
        assert f"{tensors}: the checkpoint's tensor file is missing" in line


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b'{"schema": "disparsity.checkpoint", "version": 1}'])
def test_a_damaged_description(refused: Refused, kitti: Path, broken: Path, content: bytes) -> None:
    (broken / "checkpoint.json").write_bytes(content)
    for line in every_reader(refused, kitti, 3, broken):
        assert "checkpoint.json" in line


def test_json_that_is_no_checkpoint(refused: Refused, kitti: Path, broken: Path) -> None:
    side_file = broken / "checkpoint.json"
    side_file.write_text(json.dumps([1, 2]))
    for line in every_reader(refused, kitti, 2, side_file):
        assert "not a disparsity checkpoint" in line


def test_the_tensors_of_another_network(refused: Refused, kitti: Path, broken: Path) -> None:
    stored = load_checkpoint(broken)
    tensors = dict(stored.tensors)
    first, second, *_ = sorted(name for name in tensors if name.endswith("weight"))
    tensors[first] = tensors[first][:1].clone()
    tensors["network.stranger"] = tensors.pop(second)
    metadata = {name: stored.metadata[name] for name in ("network", "folded", "masks", "quantizers")}
    save_checkpoint(broken / "checkpoint.json", type(stored)(tensors, metadata))
    for line in every_reader(refused, kitti, 2, broken):
        assert f"missing ['{second.removeprefix('network.')}']" in line
        assert "unexpected ['stranger']" in line
        assert f"mis-shaped ['{first.removeprefix('network.')} (" in line


def test_a_published_file_of_another_network(refused: Refused, kitti: Path, tmp_path: Path) -> None:
    path = tmp_path / "published.tar"
    torch.save({"state_dict": build_network("reference").state_dict()}, path)
    for line in every_reader(refused, kitti, 2, path, "--network", "stereonet"):
        assert "published.tar: not a checkpoint of network 'stereonet'; found missing [" in line
        assert "unexpected [" in line
        assert "mis-shaped [" in line
    for line in every_reader(refused, kitti, 2, path):
        assert "a published file needs its network's name; add --network NAME" in line
    for line in every_reader(refused, kitti, 2, path, "--network", "stereonett"):
        assert "unknown network 'stereonett'" in line
        assert "did you mean 'stereonet'?" in line


def test_a_damaged_published_file(refused: Refused, kitti: Path, tmp_path: Path) -> None:
    path = tmp_path / "published.tar"
    torch.save(build_network("reference").state_dict(), path)
    path.write_bytes(path.read_bytes()[:5000])
    for line in every_reader(refused, kitti, 3, path, "--network", "reference"):
        assert "published.tar: damaged, or not a torch archive" in line


def test_our_checkpoint_under_another_name(refused: Refused, kitti: Path, checkpoint: Path) -> None:
    for line in every_reader(refused, kitti, 2, checkpoint, "--network", "stereonet"):
        assert "checkpoint of another network; found reference; expected stereonet" in line


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "other"])
def test_a_damaged_packed_file(refused: Refused, finished: Path, tmp_path: Path, damage: str) -> None:
    packed = tmp_path / "compressed.h5"
    content = bytearray((finished / "compressed.h5").read_bytes())
    content[len(content) // 2] ^= 4
    damaged = {"flip": content, "cut": content[: len(content) // 2], "empty": b"", "other": b"not HDF5 at all"}
    packed.write_bytes(damaged[damage])
    assert f"{packed}: " in refused(3, "import", packed, "--out", tmp_path / "out")


def test_a_missing_packed_file(refused: Refused, tmp_path: Path) -> None:
    assert "nowhere.h5: no such file" in refused(2, "import", tmp_path / "nowhere.h5", "--out", tmp_path / "out")
