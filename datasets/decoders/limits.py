"""Limits on image and file size, checked before anything is decoded or allocated."""

from __future__ import annotations

from pathlib import Path

from disparsity.base.errors import DataError

MAX_PIXELS = 1 << 26
"""67 million pixels: eleven times the largest Middlebury image, 0.8 GB as three float32 channels."""

MAX_FILE_BYTES = 1 << 30


def check_size(path: Path, width: int, height: int) -> None:
    """Refuse an empty image and one of more than `MAX_PIXELS` pixels.

    Raises:
        DataError: the size is outside the limits.

    """
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise DataError(
            "the image size is outside the limits",
            where=path,
            found=f"{width}x{height} (width x height)",
            expected=f"1 to {MAX_PIXELS} pixels",
        )


def read_file(path: Path) -> bytes:
    """All bytes of a file of at most `MAX_FILE_BYTES`.

    Raises:
        DataError: the file is missing, not a regular file, unreadable or larger than the limit.

    """
    if not path.is_file():
        raise DataError("no such file", where=path)
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise DataError("the file is too large", where=path, found=f"{size} bytes", expected=f"<= {MAX_FILE_BYTES}")
        return path.read_bytes()
    except OSError as error:
        raise DataError("cannot be read", where=path, found=error.strerror) from error
