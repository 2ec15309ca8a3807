"""Source files of packed data: whether they have changed since.

Sizes and times are compared first; where a time differs, the content decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from disparsity.base.errors import CorruptArtefactError, DataError

MOST_FILES = 4
_CHUNK_BYTES = 1 << 20


def stats_of(files: Sequence[Path]) -> NDArray[np.int64]:
    """Size in bytes and time in nanoseconds of up to four files, ``[8]``; zeros where there is no file."""
    assert len(files) <= MOST_FILES, files
    stats = np.zeros((MOST_FILES, 2), np.int64)
    for row, path in zip(stats, files, strict=False):
        status = path.stat()
        row[:] = status.st_size, status.st_mtime_ns
    return stats.reshape(-1)


def content_of(files: Sequence[Path]) -> bytes:
    """SHA-256 of the files' contents, one after the other."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    return digest.digest()


def check_sources(
    packed: Path, root: Path, names: Sequence[Sequence[str]], stats: NDArray[np.int64], contents: NDArray[np.uint8]
) -> None:
    """Refuse packed data whose sources have changed; data whose source folder is gone (another machine) is accepted.

    Args:
        packed: the packed file, for the message.
        root: folder of the sources.
        names: of each sample's files below `root`.
        stats: ``[N, 8]`` as `stats_of` gave them.
        contents: ``[N, 32]`` as `content_of` gave them.

    Raises:
        DataError: a file is gone while others are there, holds something else, or is no regular file.
        CorruptArtefactError: a name leads out of the folder.

    """
    if not root.is_dir():
        return
    for files, stat, content in zip(names, stats, contents, strict=True):
        paths = [root / _inside(packed, name) for name in files if name]
        for path in paths:
            if not path.is_file():
                raise _stale(packed, path)
        try:
            same = np.array_equal(stats_of(paths), stat) or content_of(paths) == content.tobytes()
        except OSError as error:
            raise _stale(packed, error.filename) from error
        if not same:
            raise _stale(packed, paths[0])


def _inside(packed: Path, name: str) -> str:
    """The name, unless it would lead to a file outside the folder of the sources."""
    if name.startswith("/") or "\0" in name or ".." in PurePosixPath(name).parts:
        raise CorruptArtefactError("a source lies outside its folder", where=packed, found=ascii(name[:80]))
    return name


def _stale(packed: Path, source: object) -> DataError:
    return DataError(
        "the sources have changed since it was packed",
        where=packed,
        found=f"a difference at {source}",
        remedy="pack again, or add ?sources=ignore",
    )
