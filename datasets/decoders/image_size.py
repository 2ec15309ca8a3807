"""The size of a JPEG, WebP, PGM or PPM image from its header, and whether the file is whole.

Sources: JPEG ITU-T T.81 annex B (markers), WebP RFC 9649, Netpbm's pgm(5) and ppm(5).
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

from disparsity.base.errors import DataError

_NETPBM = re.compile(rb"(P5|P6)(?:\s|#[^\n]*\n)+([0-9]{1,9})(?:\s|#[^\n]*\n)+([0-9]{1,9})\s+([0-9]{1,5})\s")
_NOT_FRAMES = (0xC4, 0xC8, 0xCC)


def jpeg_size(path: Path, content: bytes) -> tuple[int, int]:
    """Width and height of a JPEG file that ends as one.

    Raises:
        DataError: no frame header, or no end mark.

    """
    if not content.rstrip(b"\0").endswith(b"\xff\xd9"):
        raise DataError("the JPEG is truncated", where=path, expected="an end-of-image mark")
    offset = 2
    while offset + 9 <= len(content) and content[offset] == 0xFF:
        marker = content[offset + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES:
            height, width = struct.unpack_from(">HH", content, offset + 5)
            return width, height
        offset += 2 + int.from_bytes(content[offset + 2 : offset + 4], "big") if marker != 0xFF else 1
    raise DataError("the JPEG has no frame header", where=path)


def webp_size(path: Path, content: bytes) -> tuple[int, int]:
    """Width and height of a whole, still WebP file.

    Raises:
        DataError: the file is shorter than it says, animated, or its first chunk is unknown.

    """
    claimed = 8 + int.from_bytes(content[4:8], "little")
    if len(content) < max(claimed, 30):
        raise DataError("the WebP is truncated", where=path, found=f"{len(content)} bytes", expected=max(claimed, 30))
    kind = content[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X" and not content[20] & 2:
        return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
    raise DataError("the WebP is animated or of an unknown kind", where=path, found=ascii(kind))


def netpbm_size(path: Path, content: bytes) -> tuple[int, int]:
    """Width and height of a binary PGM or PPM file of 8 bits that holds all its pixels.

    Raises:
        DataError: the header is malformed, the maximum is not 255, or the amount of data is wrong.

    """
    header = _NETPBM.match(content[:1024])
    if header is None or int(header[4]) != 255:
        raise DataError("not an 8-bit binary PGM or PPM file", where=path, found=ascii(content[:16]))
    width, height = int(header[2]), int(header[3])
    claimed, present = width * height * (3 if header[1] == b"P6" else 1), len(content) - header.end()
    if claimed != present:
        raise DataError("the amount of pixel data is wrong", where=path, found=f"{present} bytes", expected=claimed)
    return width, height
