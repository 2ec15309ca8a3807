"""An HDF5 file for reading: lazily opened, per process, with one name for every damage."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from disparsity.base.errors import CorruptArtefactError
from disparsity.datasets.packed.hdf5_file import ProcessFile


@pytest.fixture
def path(tmp_path) -> Path:
    with h5py.File(tmp_path / "x.h5", "w", libver="latest") as file:
        file["a/b"] = np.arange(12).reshape(3, 4)
    return tmp_path / "x.h5"


def test_parts_and_wholes(path):
    file = ProcessFile(path)
    assert file.read("a/b", (1, slice(1, 3))).tolist() == [5, 6]
    assert file.whole("a/b").shape == (3, 4)


def test_another_process_opens_anew(path, monkeypatch):
    file = ProcessFile(path)
    first = file.open()
    assert file.open() is first
    monkeypatch.setattr(os, "getpid", lambda: -7)
    assert file.open() is not first
    assert file.whole("a/b")[2, 3] == 11


@pytest.mark.parametrize("name", ["none", "a"])
def test_what_is_not_there_is_damage(path, name):
    with pytest.raises(CorruptArtefactError, match=r"x\.h5: damaged, or no packed data; .* pack it again"):
        ProcessFile(path).read(name, (0, 0, 0))


def test_what_is_no_hdf5_file_is_damage(tmp_path):
    (tmp_path / "x.h5").write_bytes(b"no")
    with pytest.raises(CorruptArtefactError, match="damaged"):
        ProcessFile(tmp_path / "x.h5").open()
