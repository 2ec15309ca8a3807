"""Whether an HDF5 file is as long as it says: damage that HDF5 itself does not always survive."""

from __future__ import annotations

import struct
from pathlib import Path

from disparsity.errors import CorruptArtefactError

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SUPERBLOCK = struct.Struct("<8s4BQQQ")
"""Signature, version and three more bytes, addresses of the base, of an extension, and of the end of the file."""
_VERSIONS = (2, 3)


def check_length(path: Path) -> None:
    """Refuse a file that is not as long as its superblock says, before HDF5 sees it: it may search such a file for ever.

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
