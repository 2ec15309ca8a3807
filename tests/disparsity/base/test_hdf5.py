"""The length in an HDF5 file's superblock, and arrays that lie elsewhere, against files that h5py wrote."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from disparsity.base.errors import CorruptArtefactError
from disparsity.base.hdf5 import check_length, own_array


@pytest.mark.parametrize("rows", [0, 1, 5000])
def test_whole_files_pass_and_longer_or_shorter_ones_do_not(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.create_dataset("x", data=range(rows), chunks=(1,) if rows else None, compression="lzf" if rows else None)
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


def test_only_arrays_of_the_file_itself_are_given(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(8))
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        file["group/own"] = [1, 2]
        file["soft"] = h5py.SoftLink("/group")
        file["outside"] = h5py.ExternalLink("b.h5", "/x")
        file.create_dataset("values", shape=(2,), dtype="i4", external=[(str(tmp_path / "secret"), 0, 8)])
        layout = h5py.VirtualLayout(shape=(2,), dtype="i4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "b.h5"), "x", shape=(2,))
        file.create_virtual_dataset("virtual", layout)
        assert own_array(file, "group/own")[:].tolist() == [1, 2]
        for name, error in (("soft/own", "soft is a link"), ("outside", "is a link"), ("gone", "gone is a link"),
                            ("values", "in another file"), ("virtual", "in another file")):  # fmt: skip
            with pytest.raises(ValueError, match=error):
                own_array(file, name)
        with pytest.raises(KeyError, match="group is no array"):
            own_array(file, "group")
