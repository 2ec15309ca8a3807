"""Writing so that a crash never loses what was there: the one function that every writer uses."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from disparsity.errors import InputError

_CHUNK_BYTES = 1 << 20


def write_atomic(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in place.

    The temporary file is flushed and fsynced before the rename and the folder after it, so that at every
    moment `path` holds either the old content or the new content, whole. The temporary file is removed
    when `write` raises.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        _fsync(temporary)
        os.replace(temporary, path)
        _fsync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` (UTF-8) atomically."""
    write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` atomically."""
    write_atomic(path, lambda temporary: temporary.write_bytes(content))


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON atomically; NaN and infinity are refused, since JSON has neither."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_folder(path: Path, names: Sequence[str], write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary folder beside `path` with files of these names, then put it in place.

    At every moment `path`, or a folder `.NAME.*.old` beside it for the instant of the exchange, holds the old content,
    or `path` holds the new content, whole. The temporary folder is removed when `write` raises.

    Raises:
        InputError: there is a file in its place, or a folder that holds anything else.

    """
    check_replaceable(path, names)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, old = (path.with_name(f".{path.name}.{os.getpid()}.{end}") for end in ("tmp", "old"))
    try:
        temporary.mkdir()
        write(temporary)
        for name in names:
            _fsync(temporary / name)
        _fsync(temporary)
        _exchange(temporary, path, old)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _exchange(new: Path, path: Path, old: Path) -> None:
    """Folders cannot replace each other in one step: the old one steps aside, and back when the new one cannot come."""
    if path.exists():
        os.replace(path, old)
    try:
        os.replace(new, path)
    except BaseException:
        if old.exists():
            os.replace(old, path)
        raise
    _fsync(path.parent)
    shutil.rmtree(old, ignore_errors=True)


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


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
