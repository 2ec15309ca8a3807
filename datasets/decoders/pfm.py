"""Portable float maps (PFM): one float32 or three per pixel, rows from the bottom up.

Source: Paul Debevec's PFM format as SceneFlow and Middlebury write it: three header lines (`Pf` or `PF`, width and
height, scale), then width x height x channels floats; a negative scale means little endian. The magnitude of the scale
is not applied: Middlebury 2014 headers say 0.003922 above disparities that are already in pixels.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disparsity.base.atomic_io import write_bytes
from disparsity.base.errors import DataError
from disparsity.datasets.decoders.limits import check_size, read_file

_HEADER = re.compile(rb"(\S+)\s+(\S+)\s+(\S+)\s+(\S+)[ \t]*\r?\n")
_HEADER_BYTES = 256
_CHANNELS = {b"Pf": 1, b"PF": 3}
_SIZE = re.compile(rb"[1-9][0-9]{0,8}")
_NUMBER = re.compile(rb"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def read_pfm(path: Path) -> NDArray[np.float32]:
    """Read a PFM file, top row first; infinite and NaN pixels are legal and kept.

    Returns:
        ``[H, W]`` float32 for `Pf`, ``[H, W, 3]`` for `PF`.

    Raises:
        DataError: the header is malformed or the number of bytes differs from the header's.

    """
    content = read_file(path)
    header = _HEADER.match(content[:_HEADER_BYTES])
    if header is None or header[1] not in _CHANNELS:
        found = _show(content[:16])
        raise DataError("not a PFM file", where=path, found=found, expected="a header of three lines after Pf or PF")
    channels = _CHANNELS[header[1]]
    width, height = _parse_size(path, header[2]), _parse_size(path, header[3])
    check_size(path, width, height)
    kind = "<f4" if _parse_scale(path, header[4]) < 0 else ">f4"
    claimed, present = 4 * width * height * channels, len(content) - header.end()
    if claimed != present:
        raise DataError("the amount of pixel data is wrong", where=path, found=f"{present} bytes", expected=claimed)
    pixels = np.frombuffer(content, dtype=kind, offset=header.end())
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.ascontiguousarray(pixels.reshape(shape)[::-1], dtype=np.float32)


def write_pfm(path: Path, array: NDArray[np.float32]) -> None:
    """Write ``[H, W]`` or ``[H, W, 3]`` as a little-endian PFM file, atomically; values are stored as float32."""
    assert array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3), f"PFM holds 1 or 3 channels: {array.shape}"
    height, width = array.shape[:2]
    magic = "Pf" if array.ndim == 2 else "PF"
    header = f"{magic}\n{width} {height}\n-1.0\n".encode("ascii")
    write_bytes(path, header + array[::-1].astype("<f4").tobytes())


def _parse_size(path: Path, token: bytes) -> int:
    if _SIZE.fullmatch(token) is None:
        raise DataError(
            "the PFM width or height is wrong", where=path, found=_show(token), expected="a whole number > 0"
        )
    return int(token)


def _parse_scale(path: Path, token: bytes) -> float:
    scale = float(token) if _NUMBER.fullmatch(token) else math.nan
    if not math.isfinite(scale) or scale == 0:
        raise DataError("the PFM scale is wrong", where=path, found=_show(token), expected="a finite number, not 0")
    return scale


def _show(raw: bytes) -> str:
    return ascii(raw[:32].decode("latin-1"))
