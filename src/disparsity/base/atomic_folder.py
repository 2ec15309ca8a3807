"""Atomic folders: a whole folder is written or left as it was."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from disparsity.base.atomic_io import beside, fsync, is_left, remove_strays
from disparsity.base.errors import InputError
from disparsity.base.full_disk import full_disk_named

_HERE, _EXCHANGE = -100, 2
"""AT_FDCWD and RENAME_EXCHANGE of Linux's renameat2(2)."""


def write_folder(path: Path, names: Sequence[str], write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary folder beside `path` with files of these names, then put it in place.

    All that it holds is fsynced before. On Linux the two folders then change places in one step; where the system
    or the file system cannot do that, the old one steps aside as `.NAME.*.old` for an instant, and is put back by the
    next call if a crash hits this instant. The temporary folder is removed when `write` raises.

    Raises:
        InputError: there is a file in its place, or a folder that holds anything else.
        StorageError: there is no room.

    """
    _put_back(path)
    check_replaceable(path, names)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_strays(path.parent)
    temporary = beside(path, "tmp")
    _remove(temporary)  # of a crashed process that had our number
    try:
        with full_disk_named(path, temporary):
            temporary.mkdir()
            write(temporary)
            for inner in (*temporary.rglob("*"), temporary):
                fsync(inner)
            _exchange(temporary, path, beside(path, "old"))
    finally:
        _remove(temporary)


def check_replaceable(path: Path, names: Sequence[str]) -> None:
    """Refuse to replace what is no folder with at most files of these names.

    Raises:
        InputError: see above.

    """
    if path.exists() and not path.is_dir():
        raise InputError("the output is a file", where=path, expected="a folder")
    others = sorted({inner.name for inner in path.iterdir()} - set(names)) if path.exists() else []
    if others:
        remedy = "name an empty or a new folder"
        raise InputError("the folder holds something else", where=path, found=others[0], remedy=remedy)


def _exchange(new: Path, path: Path, old: Path) -> None:
    if not path.exists():
        os.replace(new, path)
    elif not _swapped(new, path):
        _step_aside(new, path, old)
    fsync(path.parent)
    _remove(old)


def _swapped(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; False where that is not possible."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    return rename is not None and rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0


def _step_aside(new: Path, path: Path, old: Path) -> None:
    """Let the old folder step aside, and back when the new one cannot come."""
    os.replace(path, old)
    try:
        os.replace(new, path)
    except BaseException:
        os.replace(old, path)
        raise


def _remove(path: Path) -> None:
    """A folder, or the link to one that was in its place."""
    if path.is_symlink():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)


def _put_back(path: Path) -> None:
    """The folder that a crash has left aside."""
    if path.exists() or not path.parent.is_dir():
        return
    names = (name for name in os.listdir(path.parent) if name.startswith(f".{path.name}.") and name.endswith(".old"))
    left = sorted(name for name in names if is_left(name))
    if left:
        os.replace(path.with_name(left[-1]), path)
