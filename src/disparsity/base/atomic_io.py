"""Atomic files: the one function that every writer uses, so that a crash loses nothing that existed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from disparsity.base.full_disk import full_disk_named

_CHUNK_BYTES = 1 << 20
_MACHINE = re.sub(r"[^A-Za-z0-9]", "-", socket.gethostname())[:40]
_BESIDE = re.compile(r"\..+\.([A-Za-z0-9-]*)\.([0-9]+)\.disparsity\.(?:tmp|old)")
_cleared: set[Path] = set()


def write_atomic(path: Path, write: Callable[[Path], object], needed: int | None = None) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in place.

    The temporary file is flushed and fsynced before the rename and the folder after it, so that at every
    moment `path` holds either the old content or the new content, whole. The temporary file is removed
    when `write` raises; one that a killed process left is removed by the next process that writes into the folder.

    Args:
        path: folders on the way to it are made.
        write: gets the temporary path.
        needed: bytes that will be written, where that is known.

    Raises:
        StorageError: there is no room.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_strays(path.parent)
    temporary = beside(path, "tmp")
    try:
        with full_disk_named(path, temporary, needed):
            write(temporary)
            fsync(temporary)
            os.replace(temporary, path)
            fsync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` (UTF-8) atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` atomically."""
    write_atomic(path, lambda temporary: temporary.write_bytes(content), len(content))


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON atomically; NaN and infinity are refused, since JSON has neither."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def beside(path: Path, end: str) -> Path:
    """A name in the same folder that tells which process of which machine made it."""
    return path.with_name(f".{path.name}.{_MACHINE}.{os.getpid()}.disparsity.{end}")


def remove_strays(folder: Path, *, of_all: bool = False) -> None:
    """Remove the temporary files and folders that killed processes of this machine have left in a folder.

    Args:
        folder: looked at once per process.
        of_all: no other process uses the folder now: look again, and take whatever any process has left.

    """
    if folder in _cleared and not of_all:
        return
    _cleared.add(folder)
    with suppress(OSError):  # owned by another user, or removed meanwhile
        for entry in list(os.scandir(folder)):
            if entry.name.endswith(".tmp") and is_left(entry.name, of_all=of_all):
                shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else Path(entry.path).unlink()


def is_left(name: str, *, of_all: bool = False) -> bool:
    """Whether a name is one of `beside` and its process has ended; with `of_all` any name of `beside` counts."""
    made = _BESIDE.fullmatch(name)
    return made is not None and (of_all or (made[1] == _MACHINE and not _is_alive(int(made[2]))))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def fsync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
