"""Images and 16-bit disparity maps: decoded whole or refused.

Source of the disparity coding: KITTI stereo devkit, readme.txt: uint16, disparity = value / 256, 0 = unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from disparsity.base.atomic_io import write_bytes
from disparsity.base.errors import BitDepthError, DataError
from disparsity.datasets.decoders.image_size import jpeg_size, netpbm_size, webp_size
from disparsity.datasets.decoders.limits import check_size, read_file
from disparsity.datasets.decoders.png_chunks import GRAY, SIGNATURE, essential_bytes, read_header

KITTI_SCALE = 256
_SIZES: dict[bytes, Callable[[Path, bytes], tuple[int, int]]] = {
    b"\xff\xd8\xff": jpeg_size,
    b"RIFF": webp_size,
    b"P5": netpbm_size,
    b"P6": netpbm_size,
}


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Read a PNG, JPEG, WebP, PGM or PPM image as ``[H, W, 3]`` RGB; gray is repeated, alpha dropped.

    Raises:
        DataError: the file is missing, of another kind, damaged, too large, or has more than 8 bits per channel.

    """
    content = _checked(path, read_file(path), depths=(1, 2, 4, 8))
    # Orientation marks would swap height and width: a rectified pair is stored as it is meant.
    bgr = _decode(path, content, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return np.ascontiguousarray(bgr[:, :, ::-1])


def read_png8(path: Path) -> NDArray[np.uint8]:
    """Read an 8-bit gray PNG or PGM as its raw values, ``[H, W]``.

    Raises:
        DataError: as `read_rgb`, or the image is not gray with 8 bits.

    """
    raw = _decode(path, _checked(path, read_file(path), depths=(8,)), cv2.IMREAD_UNCHANGED)
    if raw.ndim != 2 or raw.dtype != np.uint8:
        raise BitDepthError("wrong kind of image", where=path, found=f"{raw.shape} {raw.dtype}", expected="8-bit gray")
    return raw


def read_png16(path: Path) -> NDArray[np.uint16]:
    """Read a 16-bit gray PNG as its raw values, ``[H, W]``.

    Raises:
        DataError: the file is missing, damaged, or not a 16-bit gray PNG.

    """
    content = read_file(path)
    header = read_header(path, content)
    if (header.depth, header.color) != (16, GRAY):
        found = f"{header.depth} bits, colour type {header.color}"
        raise BitDepthError("wrong kind of PNG", where=path, found=found, expected="16-bit gray")
    return _decode(path, _checked(path, content, depths=(16,)), cv2.IMREAD_UNCHANGED).astype(np.uint16, copy=False)


def read_kitti_disparity(path: Path) -> NDArray[np.float32]:
    """Read a KITTI disparity map: ``[H, W]`` float32 in pixels, 0 where unknown; raises as `read_png16`."""
    return read_png16(path).astype(np.float32) / np.float32(KITTI_SCALE)


def write_rgb(path: Path, image: NDArray[np.uint8]) -> None:
    """Write ``[H, W, 3]`` uint8 RGB as PNG, atomically."""
    assert image.dtype == np.uint8, image.dtype
    _write(path, np.ascontiguousarray(image[:, :, ::-1]))


def write_kitti_disparity(path: Path, disparity: NDArray[np.float32], valid: NDArray[np.bool_]) -> None:
    """Write ``[H, W]`` disparities in pixels as 16-bit PNG, rounded to 1/256 pixel, atomically.

    A valid disparity that would round to 0, the mark of the unknown, is stored as 1/256.

    Raises:
        DataError: a valid disparity is not finite, not positive, or too large for the format.

    """
    known = disparity[valid]
    codes = np.rint(known.astype(np.float64) * KITTI_SCALE)
    if known.size and not (np.isfinite(codes).all() and known.min() > 0 and codes.max() <= 65535):
        found = f"{known.min()} to {known.max()} px"
        raise DataError("disparities do not fit a 16-bit PNG", where=path, found=found, expected="> 0 and < 256 px")
    raw = np.zeros(disparity.shape, np.uint16)
    raw[valid] = np.maximum(codes, 1).astype(np.uint16)
    _write(path, raw)


def _checked(path: Path, content: bytes, depths: tuple[int, ...]) -> bytes:
    """What the decoder may see: a file that is whole, within the limits and of an accepted depth."""
    if content.startswith(SIGNATURE):
        header = read_header(path, content)
        check_size(path, header.width, header.height)
        if header.depth not in depths:
            expected = " or ".join(map(str, depths))
            raise BitDepthError("wrong bits per channel", where=path, found=header.depth, expected=expected)
        return essential_bytes(path, content)
    for magic, size_of in _SIZES.items():
        if content.startswith(magic):
            check_size(path, *size_of(path, content))
            return content
    raise DataError("not an image", where=path, found=ascii(content[:8]), expected="PNG, JPEG, WebP, PGM or PPM")


def _decode(path: Path, content: bytes, mode: int) -> NDArray[Any]:
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), mode)
    except cv2.error as error:
        raise DataError("cannot be decoded", where=path, found=error.err) from error
    if image is None:
        raise DataError("cannot be decoded: the pixel data is damaged", where=path)
    return image


def _write(path: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    done, encoded = cv2.imencode(".png", pixels)
    assert done, f"cannot encode {pixels.shape} {pixels.dtype}"
    write_bytes(path, encoded.tobytes())
