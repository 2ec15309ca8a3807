"""Images and 16-bit disparity maps: decoded whole by Pillow, or refused.

Source of the disparity coding: KITTI stereo devkit, readme.txt: uint16, disparity = value / 256, 0 = unknown.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from disparsity.base.atomic_io import write_bytes
from disparsity.base.errors import BitDepthError, DataError
from disparsity.datasets.decoders.limits import check_size, read_file

KITTI_SCALE = 256
_FORMATS = ("PNG", "JPEG", "WEBP", "PPM", "BMP", "TIFF")
_PNG_SIGNATURE, _PNG_END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"
_PNG_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_COLOUR_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
_PILLOW_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError, MemoryError),
    *(AttributeError, RuntimeError, AssertionError, struct.error, zlib.error, Image.DecompressionBombError),
)
"""What Pillow raises for damaged files, as fuzzing found."""


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Read a PNG, JPEG, WebP, PGM, PPM, BMP or TIFF image as ``[H, W, 3]`` RGB; gray is repeated, alpha dropped.

    Marks of orientation are ignored, or refused in TIFF: a rectified pair is stored as it is meant.

    Raises:
        DataError: the file is missing, of another kind, damaged, too large, or has more than 8 bits per channel.

    """
    image, stored = _decoded(path, read_file(path))
    if image.mode not in _COLOUR_MODES or "16" in stored:
        raise _wrong_kind(path, image, stored, "gray or RGB with up to 8 bits per channel")
    return np.array(image.convert("RGB"))


def read_png8(path: Path) -> NDArray[np.uint8]:
    """Read an 8-bit gray PNG or PGM as its raw values, ``[H, W]``.

    Raises:
        DataError: as `read_rgb`, or the image is not gray with 8 bits.

    """
    image, stored = _decoded(path, read_file(path))
    if image.mode != "L" or stored != "L":
        raise _wrong_kind(path, image, stored, "8-bit gray")
    return np.array(image)


def read_mask(path: Path) -> NDArray[np.uint8]:
    """Read a gray PNG, or one of a palette of grays, as ``[H, W]``; raises as `read_rgb`."""
    return read_rgb(path)[:, :, 0]


def read_png16(path: Path) -> NDArray[np.uint16]:
    """Read a 16-bit gray PNG as its raw values, ``[H, W]``.

    Raises:
        DataError: the file is missing, damaged, or not a 16-bit gray PNG.

    """
    image, stored = _decoded(path, read_file(path))
    if image.format != "PNG" or image.mode != "I;16":
        raise _wrong_kind(path, image, stored, "16-bit gray PNG")
    return np.array(image, np.uint16)


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


def _decoded(path: Path, content: bytes) -> tuple[ImageFile.ImageFile, str]:
    """The image of a whole file, and how its pixels are stored, e.g. `RGB;16B`: Pillow makes 8 bits of such 16."""
    try:
        with warnings.catch_warnings(action="ignore"):  # about metadata, which nothing here reads
            header = Image.open(io.BytesIO(content), formats=_FORMATS)
            check_size(path, *header.size)
            _check_single(path, header)
            if header.format == "TIFF" and header.getexif().get(ExifTags.Base.Orientation, 1) != 1:
                raise DataError("Pillow would turn this TIFF", where=path, expected="an upright image")
            if header.format == "PNG":
                _check_png(path, content)
            if header.format == "PPM":
                _check_netpbm(path, header, content)
            header.verify()
            image = Image.open(io.BytesIO(content), formats=_FORMATS)
            stored = _stored(image)
            image.load()
    except UnidentifiedImageError as error:
        expected = "PNG, JPEG, WebP, PGM, PPM, BMP or TIFF"
        raise DataError("not an image", where=path, found=ascii(content[:8]), expected=expected) from error
    except _PILLOW_ERRORS as error:
        raise DataError("the image cannot be decoded", where=path, found=str(error)[:120]) from error
    return image, stored


def _stored(image: ImageFile.ImageFile) -> str:
    args: object = image.tile[0].args if image.tile else image.mode
    return str(args[0] if isinstance(args, tuple) else args)


def _wrong_kind(path: Path, image: Image.Image, stored: str, expected: str) -> BitDepthError:
    found = f"{image.format}, pixels {stored}"
    return BitDepthError("wrong kind of image", where=path, found=found, expected=expected)


def _check_single(path: Path, header: ImageFile.ImageFile) -> None:
    if getattr(header, "n_frames", 1) > 1:
        raise DataError(f"the {header.format} is animated or has pages", where=path, expected="a single image")


def _check_png(path: Path, content: bytes) -> None:
    """What Pillow does not look at: critical chunks that it does not know, and the checksum of the end mark."""
    offset, kind = len(_PNG_SIGNATURE), b""
    while kind != b"IEND" and offset + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, offset)
        if kind[:1].isupper() and kind not in _PNG_CRITICAL:
            raise DataError("the PNG has an unknown critical chunk", where=path, found=ascii(kind))
        offset += 12 + length
    if not content[:offset].endswith(_PNG_END):
        raise DataError("the PNG is truncated or its end mark is damaged", where=path)


def _check_netpbm(path: Path, header: ImageFile.ImageFile, content: bytes) -> None:
    """Refuse maxima other than 255, to which Pillow would scale the values, and data behind the pixels."""
    tile = header.tile[0]
    if tile.codec_name != "raw" or header.mode not in ("L", "RGB"):
        raise DataError("not an 8-bit binary PGM or PPM file", where=path, found=ascii(content[:16]))
    claimed, present = header.width * header.height * len(header.mode), len(content) - tile.offset
    if claimed != present:
        raise DataError("the amount of pixel data is wrong", where=path, found=f"{present} bytes", expected=claimed)


def _write(path: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    done, encoded = cv2.imencode(".png", pixels)
    assert done, f"cannot encode {pixels.shape} {pixels.dtype}"
    write_bytes(path, encoded.tobytes())
