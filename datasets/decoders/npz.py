"""NumPy archives (npz) with one disparity map, as scikit-image ships the Middlebury motorcycle.

Source: NumPy NEP 1 (the `npy` format), one member in a zip archive.
"""

from __future__ import annotations

import io
import math
import tokenize
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.limits import MAX_PIXELS, check_size

_HEADER_BYTES = 4096
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_HEADER_ERRORS = (ValueError, KeyError, EOFError, TypeError, SyntaxError, RecursionError, tokenize.TokenError)
"""NumPy reads the header as Python text, and again through a tokenizer when that fails."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ZIP_ERRORS = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


def read_npz(path: Path) -> NDArray[np.float32]:
    """Read the one array of an archive: ``[H, W]`` floats; pickled objects are never loaded.

    Raises:
        DataError: the file is missing or damaged, or holds anything but one two-dimensional float array.

    """
    stream = io.BytesIO(_only_member(path))
    shape, fortran, kind = _header(path, stream)
    if len(shape) != 2 or not np.issubdtype(kind, np.floating):
        raise DataError("wrong array", where=path, found=f"{shape} {kind}", expected="[H, W] floats")
    check_size(path, shape[1], shape[0])
    claimed, content = math.prod(shape) * kind.itemsize, stream.read()
    if len(content) != claimed:
        raise DataError("the amount of data is wrong", where=path, found=f"{len(content)} bytes", expected=claimed)
    array = np.frombuffer(content, kind).reshape(shape, order="F" if fortran else "C")
    # What float32 cannot hold becomes infinite, which means unknown; a signalling NaN becomes a quiet one.
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(np.float32, order="C")


def _only_member(path: Path) -> bytes:
    """The unpacked bytes of an archive's one member; its size is checked before it is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = [entry.file_size for entry in archive.infolist()]
            if len(sizes) != 1 or sizes[0] > 8 * MAX_PIXELS + _HEADER_BYTES:
                raise DataError(
                    "wrong content of the archive", where=path, found=f"sizes {sizes}", expected="one array"
                )
            if archive.infolist()[0].compress_type not in _METHODS:  # others may ask for gigabytes before they fail
                raise DataError("wrong compression of the archive", where=path, expected="stored or deflated")
            return archive.read(archive.infolist()[0])
    except _ZIP_ERRORS as error:
        raise DataError("not a readable NumPy archive", where=path, found=error) from error


def _header(path: Path, stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, memory order and data type of an array, before any of it is allocated."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about headers of Python 2
            return _HEADERS[npy.read_magic(stream)](stream)
    except _HEADER_ERRORS as error:
        raise DataError("not a NumPy array", where=path, found=error) from error
