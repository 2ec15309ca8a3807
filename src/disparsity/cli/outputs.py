"""Output checks: a path that cannot be written is refused before any work is done."""

from __future__ import annotations

import os
from pathlib import Path

from disparsity.base.errors import InputError


def check_file(path: Path | None) -> None:
    """Refuse a file that cannot be made or replaced; None is no file and fine.

    Raises:
        InputError: there is a folder in its place, or its folder cannot be made or written.

    """
    if path is None:
        return
    if path.is_dir():
        raise InputError("the output is a folder", where=path, expected="a file")
    check_folder(path.parent)


def check_folder(path: Path | None) -> None:
    """Refuse a folder that cannot be made or written; None is no folder and fine.

    Raises:
        InputError: a file is in the way, or the nearest existing folder cannot be written.

    """
    if path is None:
        return
    nearest = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not nearest.is_dir():
        raise InputError("the output cannot be made", where=path, found=f"{nearest} is a file", expected="a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError("the output cannot be written", where=path, remedy=f"no permission in {nearest}")
