"""Row 15: names in files that lead out of their folder: refused, and nothing outside is read or written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from disparsity.base.errors import CorruptArtefactError, DataError
from disparsity.cli import main
from disparsity.datasets.packed.sources import check_sources

OUT = ["../outside", "/etc/passwd", "a/../../outside", "a\\..\\outside", "nul\0byte"]


@pytest.mark.parametrize("name", OUT)
def test_lists_of_samples(tmp_path: Path, checkpoint: Path, one_line: Callable[..., str], name: str) -> None:
    (tmp_path / "list.txt").write_text(f"{name}\n")
    data = "synthetic:?pairs=1&size=64x128&max_disparity=16"
    line = one_line(2, "evaluate", checkpoint, "--data", data, "--split", tmp_path / "list.txt")
    assert "list.txt: not an id; found '" in line


def test_tensor_files(tmp_path: Path, one_line: Callable[..., str]) -> None:
    outside = tmp_path / "outside.safetensors"
    outside.write_bytes(b"secret")
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for name in ("../outside.safetensors", str(outside)):
        facts = {"schema": "disparsity.checkpoint", "version": 1, "tensors": name}
        facts["sha256"] = hashlib.sha256(b"secret").hexdigest()
        (folder / "checkpoint.json").write_text(json.dumps(facts))
        line = one_line(3, "evaluate", folder, "--data", "synthetic:?pairs=1&size=64x128")
        assert "checkpoint/outside.safetensors: the checkpoint's tensor file is missing" in line


@pytest.mark.parametrize("name", ["../outside", "/dev/zero", "a/../../outside"])
def test_sources_of_packed_data_outside(tmp_path: Path, name: str) -> None:
    stats, contents = np.zeros((1, 8), np.int64), np.zeros((1, 32), np.uint8)
    with pytest.raises(CorruptArtefactError, match="a source lies outside its folder; found '"):
        check_sources(Path("data.h5"), tmp_path, [[name]], stats, contents)


def test_sources_that_never_end(tmp_path: Path) -> None:
    """Devices and pipes would be read for ever."""
    os.mkfifo(tmp_path / "pipe")
    stats, contents = np.zeros((1, 8), np.int64), np.zeros((1, 32), np.uint8)
    for root, name in ((Path("/dev"), "zero"), (tmp_path, "pipe")):
        with pytest.raises(DataError, match=f"a difference at {root / name}"):
            check_sources(Path("data.h5"), root, [[name]], stats, contents)


def test_links_in_hdf5_lead_nowhere(tmp_path: Path, one_line: Callable[..., str]) -> None:
    with h5py.File(tmp_path / "other.h5", "w", libver="latest") as file:
        file["packed"] = np.zeros(9, np.uint8)
    with h5py.File(tmp_path / "link.h5", "w", libver="latest") as file:
        file["packed"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "packed")
    line = one_line(3, "import", tmp_path / "link.h5", "--out", tmp_path / "out")
    assert "link.h5: " in line
    assert not (tmp_path / "out").exists()


def test_outputs_do_not_follow_links_of_temporary_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "out.json").symlink_to(tmp_path / "victim")
    assert main(["data", "verify", "synthetic:?pairs=1&size=64x128", "--json", str(tmp_path / "out.json")]) == 0
    assert (tmp_path / "victim").read_text() == "kept"
    assert json.loads((tmp_path / "out.json").read_text())["samples"] == 1
