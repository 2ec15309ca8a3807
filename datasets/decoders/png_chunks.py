"""The chunk structure of a PNG file: checked whole before a decoder sees it.

Source: PNG specification (ISO/IEC 15948), section 5 (signature, chunks, CRC) and 11.2.2 (IHDR).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from disparsity.base.errors import DataError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
_HEADER = struct.Struct(">IIBBBBB")
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


@dataclass(frozen=True)
class PngHeader:
    """What IHDR says: size in pixels, bits per channel and colour type."""

    width: int
    height: int
    depth: int
    color: int


def read_header(path: Path, content: bytes) -> PngHeader:
    """The header of a PNG file, from its first 33 bytes.

    Raises:
        DataError: the file does not start with the signature and an IHDR chunk.

    """
    if not content.startswith(SIGNATURE + b"\x00\x00\x00\rIHDR") or len(content) < 33:
        raise DataError("not a PNG file", where=path, found=ascii(content[:8]), expected="signature and IHDR")
    width, height, depth, color, *_ = _HEADER.unpack_from(content, 16)
    return PngHeader(width, height, depth, color)


def essential_bytes(path: Path, content: bytes) -> bytes:
    """The file with the chunks that define its pixels only, after every chunk passed its CRC.

    Profiles, orientation and compressed text are dropped: no decoder may turn, recolour or inflate anything for them.

    Raises:
        DataError: a chunk is cut or damaged, the end mark is missing, or the file is animated.

    """
    view, kept, offset = memoryview(content), [SIGNATURE], len(SIGNATURE)
    while True:
        kind, end = _check_chunk(path, content, offset)
        if kind == b"acTL":
            raise DataError("the PNG is animated", where=path, expected="a single image")
        if kind in _KEPT:
            kept.append(bytes(view[offset:end]))
        elif not kind[0] & 0x20:
            raise DataError("the PNG has an unknown critical chunk", where=path, found=ascii(kind))
        if kind == b"IEND":
            return b"".join(kept)
        offset = end


def _check_chunk(path: Path, content: bytes, offset: int) -> tuple[bytes, int]:
    """The type of the chunk at `offset` and where it ends."""
    if offset + 12 > len(content):
        raise DataError("the PNG is truncated", where=path, found=f"{len(content)} bytes", expected="an IEND chunk")
    (length,) = struct.unpack_from(">I", content, offset)
    end = offset + 12 + length
    if end > len(content):
        raise DataError("the PNG is truncated", where=path, found=f"{len(content)} bytes", expected=f">= {end}")
    kind = content[offset + 4 : offset + 8]
    (checksum,) = struct.unpack_from(">I", content, end - 4)
    if zlib.crc32(memoryview(content)[offset + 4 : end - 4]) != checksum:
        raise DataError(f"the PNG is damaged: checksum of chunk {kind!a} at byte {offset}", where=path)
    return kind, end
