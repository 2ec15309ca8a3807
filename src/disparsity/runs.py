"""A run's folder: the resolved recipe, the manifest, one folder per stage."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from disparsity.errors import CorruptArtefactError, InputError
from disparsity.files import write_text
from disparsity.recipe import Recipe, load_recipe, to_toml

RECIPE_FILE = "recipe.toml"
LOCK_FILE = ".lock"


@contextmanager
def open_run(folder: Path, recipe: Recipe) -> Iterator[Path]:
    """Create the folder of a run, or return to it, for one process at a time.

    Raises:
        InputError: the folder holds another recipe's run or other files, or another process works in it.

    """
    check_folder(folder, recipe)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        write_text(folder / RECIPE_FILE, to_toml(recipe))
        yield folder


def stage_folder(run: Path, number: int, name: str) -> Path:
    """The folder of a stage, e.g. `stages/02-finetune`."""
    return run / "stages" / f"{number:02d}-{name}"


def append_metrics(folder: Path, row: dict[str, Any]) -> None:
    """Add a row to a stage's metrics.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, allow_nan=False) + "\n")


def trim_metrics(folder: Path, step: int) -> None:
    """Drop the rows of steps that a resumed stage will take again."""
    path = folder / "metrics.jsonl"
    if path.is_file():
        kept = [row for row in read_metrics(path) if row.get("step", 0) <= step]
        write_text(path, "".join(json.dumps(row) + "\n" for row in kept))


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The rows of one metrics.jsonl; a last line cut off by a crash is left out.

    Raises:
        CorruptArtefactError: another line is not JSON.

    """
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as error:
            if number < len(lines):
                raise CorruptArtefactError("not a JSON line", where=f"{path}:{number}", found=line[:60]) from error
    return rows


def history(run: Path) -> list[dict[str, Any]]:
    """The metrics of all stages in order, each row with its stage's name."""
    rows = []
    for path in sorted(run.glob("stages/*/metrics.jsonl")):
        rows += [{"stage": path.parent.name, **row} for row in read_metrics(path)]
    return rows


def check_folder(folder: Path, recipe: Recipe) -> None:
    """Refuse a folder that a run of this recipe may not use; it is left as it is.

    Raises:
        InputError: the folder holds another recipe's run or other files.

    """
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
        file.write(f"process {os.getpid()}\n")
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
