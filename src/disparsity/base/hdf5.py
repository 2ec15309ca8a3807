"""HDF5 checks that the library lacks: the file's length, and arrays stored in other files."""

from __future__ import annotations

import struct
from itertools import accumulate
from pathlib import Path

import h5py

from disparsity.base.errors import CorruptArtefactError

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SUPERBLOCK = struct.Struct("<8s4BQQQ")
"""Signature, version and three more bytes, addresses of the base, of an extension, and of the end of the file."""
_VERSIONS = (2, 3)


def check_length(path: Path) -> None:
    """Refuse a file that is not as long as its superblock says, before HDF5 sees it and searches it for ever.

    Source: HDF5 File Format Specification 3.0, section II.A, superblock versions 2 and 3.

    Raises:
        CorruptArtefactError: the length is another one, or there is no such superblock.

    """
    with path.open("rb") as file:
        start = file.read(_SUPERBLOCK.size)
    fields = _SUPERBLOCK.unpack(start) if len(start) == _SUPERBLOCK.size else None
    if fields is None or fields[0] != _SIGNATURE or fields[1] not in _VERSIONS:
        raise CorruptArtefactError("not an HDF5 file of ours", where=path, found=ascii(start[:9]))
    if fields[-1] != path.stat().st_size:
        found, expected = f"{path.stat().st_size} bytes", f"{fields[-1]} bytes"
        raise CorruptArtefactError("cut, or something was added", where=path, found=found, expected=expected)


def own_array(file: h5py.File, name: str) -> h5py.Dataset:
    """An array that lies in this very file, found without links into others.

    Raises:
        KeyError: there is none.
        ValueError: the name, or the array's values, lead elsewhere.

    """
    for path in accumulate(name.split("/"), "{}/{}".format):
        if not isinstance(file.get(path, getlink=True), h5py.HardLink):
            raise ValueError(f"{path} is a link")
    array = file[name]
    if not isinstance(array, h5py.Dataset):
        raise KeyError(f"{name} is no array")
    if array.external is not None or array.is_virtual:
        raise ValueError(f"{name} lies in another file")
    return array
