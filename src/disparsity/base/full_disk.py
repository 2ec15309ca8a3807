"""Full disk: a disk, quota or size limit that is reached becomes one clear error with the bytes needed and free."""

from __future__ import annotations

import errno
import re
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from disparsity.base.errors import StorageError

_KINDS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file is larger than the limit of this process",
}
_NUMBER = re.compile(r"errno = ([0-9]+)")


@contextmanager
def full_disk_named(path: Path, temporary: Path, needed: int | None = None) -> Iterator[None]:
    """Give errors of a full disk inside the block the name of the file, and the bytes.

    Args:
        path: what is being written.
        temporary: where it is written to meanwhile.
        needed: bytes of the whole, where that is known.

    Raises:
        StorageError: there is no room.

    """
    try:
        yield
    except (OSError, RuntimeError) as error:  # HDF5 and zip writers raise either
        kind = _kind_of(error)
        if kind is None:
            raise
        wanted = f"{needed} bytes" if needed is not None else f"more than the {_bytes_of(temporary)} bytes written"
        remedy = "make room, then run the same command again to resume; existing files are unchanged"
        raise StorageError(_KINDS[kind], where=path, found=_room(path, kind), expected=wanted, remedy=remedy) from error


def _kind_of(error: BaseException) -> int | None:
    numbers = [error.errno] if isinstance(error, OSError) else []
    numbers += [int(text) for text in _NUMBER.findall(str(error))]
    return next((number for number in numbers if number in _KINDS), None)


def _room(path: Path, kind: int) -> str:
    if kind == errno.EFBIG:
        return f"a limit of {resource.getrlimit(resource.RLIMIT_FSIZE)[0]} bytes"
    nearest = next(folder for folder in path.absolute().parents if folder.is_dir())
    return f"{shutil.disk_usage(nearest).free} bytes free"


def _bytes_of(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
