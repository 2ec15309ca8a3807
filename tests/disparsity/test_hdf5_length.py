"""The length in an HDF5 file's superblock, against files that h5py wrote."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from disparsity.errors import CorruptArtefactError
from disparsity.hdf5_length import check_length


@pytest.mark.parametrize("rows", [0, 1, 5000])
def test_whole_files_pass_and_longer_or_shorter_ones_do_not(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.create_dataset("x", data=range(rows), chunks=(64,) if rows else None, compression="lzf" if rows else None)
    check_length(path)
    content = path.read_bytes()
    for changed in (content[:-1], content[: len(content) // 2], content + b"\0"):
        path.write_bytes(changed)
        with pytest.raises(
            CorruptArtefactError, match=r"a\.h5: cut, or something was added; found \d+ bytes; expected"
        ):
            check_length(path)


@pytest.mark.parametrize("content", [b"", b"\x89HDF", b"PK\x03\x04" + bytes(60), b"\x89HDF\r\n\x1a\n\x00" + bytes(60)])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.h5").write_bytes(content)
    with pytest.raises(CorruptArtefactError, match="not an HDF5 file of ours"):
        check_length(tmp_path / "a.h5")
