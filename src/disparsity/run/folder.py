"""Run folder: the resolved recipe, the manifest, one folder per stage."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from disparsity.base.atomic_io import remove_strays, write_bytes, write_text
from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.base.full_disk import full_disk_named
from disparsity.recipe.recipe import Recipe, load_recipe, to_toml

RECIPE_FILE = "recipe.toml"
LOCK_FILE = ".lock"
METRICS_FILE = "metrics.jsonl"
_CHECK = "crc32"


@contextmanager
def open_run(folder: Path, recipe: Recipe) -> Iterator[Path]:
    """Create the folder of a run, or return to it, for one process at a time.

    Raises:
        InputError: the folder holds another recipe's run or other files, or another process works in it.

    """
    check_folder(folder, recipe)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        for inner in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
            remove_strays(inner, of_all=True)
        write_text(folder / RECIPE_FILE, to_toml(recipe))
        yield folder


def check_present(folder: Path, name: str | None = None) -> None:
    """Stop where a folder (or the file `name` in it) has disappeared: creating it again would hide the loss.

    Raises:
        InputError: it does not exist.

    """
    if not (folder if name is None else folder / name).exists():
        remedy = "check that its disk is mounted, then run the same command again to resume"
        raise InputError("the folder has disappeared during the run", where=folder, remedy=remedy)


def stage_folder(run: Path, number: int, name: str) -> Path:
    """The folder of a stage, e.g. `stages/02-finetune`."""
    return run / "stages" / f"{number:02d}-{name}"


def append_metrics(folder: Path, row: dict[str, Any]) -> None:
    """Add a row to a stage's metrics.jsonl.

    Raises:
        InputError: the folder has disappeared.
        StorageError: there is no room; the file is as it was.

    """
    check_present(folder)
    path, line = folder / METRICS_FILE, _line(row)
    with full_disk_named(path, path, len(line)), path.open("ab", buffering=0) as file:
        end = file.tell()
        try:
            written = file.write(line)
            if written < len(line):  # the last bytes of a disk
                file.write(line[written:])
        except OSError:
            file.truncate(end)
            raise


def trim_metrics(folder: Path, step: int) -> None:
    """Drop the rows of steps that a resumed stage will take again."""
    path = folder / METRICS_FILE
    if path.is_file():
        kept = [row for row in read_metrics(path) if row.get("step", 0) <= step]
        write_bytes(path, b"".join(_line(row) for row in kept))


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The rows of one metrics.jsonl; a last line cut off by a crash is left out.

    Raises:
        CorruptArtefactError: another line is not JSON, or not what was written.

    """
    *lines, rest = path.read_bytes().split(b"\n")
    rows = [_row(line, f"{path}:{number}") for number, line in enumerate(lines, start=1)]
    if _is_whole(rest):
        rows.append(_row(rest, f"{path}:{len(lines) + 1}"))
    return rows


def _is_whole(rest: bytes) -> bool:
    """Whether a last line without a line break was not cut off: a whole row, or one with something behind it."""
    try:
        json.JSONDecoder().raw_decode(rest.decode("latin-1"))
    except ValueError:
        return False
    return True


def _line(row: dict[str, Any]) -> bytes:
    """A row with its checksum, which one damaged bit cannot pass."""
    plain = json.dumps(row, allow_nan=False)
    return json.dumps({**row, _CHECK: zlib.crc32(plain.encode())}).encode() + b"\n"


def _row(line: bytes, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        check = row.pop(_CHECK, None)
    except (ValueError, AttributeError) as error:
        raise CorruptArtefactError("not a JSON line", where=where, found=ascii(line[:60])) from error
    if check is not None and check != zlib.crc32(json.dumps(row).encode()):
        raise CorruptArtefactError("the line fails its checksum", where=where, remedy="remove the line")
    return row


def history(run: Path) -> list[dict[str, Any]]:
    """The metrics of all stages in order, each row with its stage's name."""
    rows = []
    for path in sorted(run.glob(f"stages/*/{METRICS_FILE}")):
        rows += [{"stage": path.parent.name, **row} for row in read_metrics(path)]
    return rows


def check_folder(folder: Path, recipe: Recipe) -> None:
    """Refuse a folder that a run of this recipe may not use; it is left as it is.

    Raises:
        InputError: the folder cannot be written, or holds another recipe's run or other files.

    """
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not os.access(nearest, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise InputError("the folder cannot be written", where=nearest, remedy="choose another --out")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError("the output is not a folder", where=folder)
    stored = folder / RECIPE_FILE
    if stored.is_file():
        if stored.read_text(encoding="utf-8") != to_toml(recipe):
            raise InputError(
                "the folder holds the run of another recipe", where=folder, remedy="choose another --out, or remove it"
            )
    elif any(entry.name != LOCK_FILE for entry in folder.iterdir()):
        raise InputError("the folder is not empty and holds no run", where=folder, remedy="choose another --out")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / LOCK_FILE).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise InputError("another process works in this folder", where=folder, found=file.read().strip()) from error
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def is_locked(folder: Path) -> bool:
    """Whether a process works in the folder of a run."""
    try:
        with _locked(folder):
            return False
    except FileNotFoundError:
        return False
    except InputError:
        return True


def stored_recipe(folder: Path) -> Recipe:
    """The resolved recipe of a run.

    Raises:
        InputError: the folder holds no run.

    """
    if not (folder / RECIPE_FILE).is_file():
        raise InputError("no run in this folder", where=folder, expected=RECIPE_FILE)
    return load_recipe(folder / RECIPE_FILE)
