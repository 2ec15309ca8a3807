"""Disparity maps in a NumPy archive, as scikit-image ships the Middlebury motorcycle."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disparsity.datasets.limits import MAX_PIXELS, check_size
from disparsity.errors import DataError


def read_npz(path: Path) -> NDArray[np.float32]:
    """Read the one array of an archive: ``[H, W]`` floats; pickled objects are never loaded.

    Raises:
        DataError: the file is missing or damaged, or holds anything but one two-dimensional float array.

    """
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = [entry.file_size for entry in archive.infolist()]
        # Checked before loading: a small archive can claim an array that does not fit into memory.
        if len(sizes) != 1 or sizes[0] > 8 * MAX_PIXELS + 4096:
            raise DataError("wrong content of the archive", where=path, found=f"sizes {sizes}", expected="one array")
        with np.load(path, allow_pickle=False) as arrays:
            array = arrays[arrays.files[0]]
    except (OSError, ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError("not a readable NumPy archive", where=path, found=error) from error
    if array.ndim != 2 or not np.issubdtype(array.dtype, np.floating):
        raise DataError("wrong array", where=path, found=f"{array.shape} {array.dtype}", expected="[H, W] floats")
    check_size(path, array.shape[1], array.shape[0])
    return np.asarray(array, dtype=np.float32)
