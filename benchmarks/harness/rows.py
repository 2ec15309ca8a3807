"""Result rows: what was measured of a case, by which command, at which commit, on which machine; one JSON line each."""

from __future__ import annotations

import fcntl
import json
import os
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from disparsity.base.atomic_io import write_text

Case = dict[str, Any]
Row = dict[str, Any]
"""`case` (what was measured), `found` (the figures) and `made` (provenance)."""


def rows_path(results: Path, name: str) -> Path:
    return results / f"{name}.json"


def key_of(case: Case) -> str:
    """A case as text, the same for equal cases."""
    return json.dumps(case, sort_keys=True)


def read_rows(path: Path) -> list[Row]:
    """All rows of a result file, empty if there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """A JSON list with one row a line, so that changes are readable."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    write_text(path, f"[\n{lines}\n]\n")


def add_row(path: Path, row: Row) -> None:
    """Add a row; several processes may do so at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        write_rows(path, [*read_rows(path), row])
    finally:
        os.close(folder)  # and with it the lock


def of(rows: Iterable[Row], **wanted: Any) -> list[Row]:
    """The rows whose case has these values."""
    return [row for row in rows if all(row["case"].get(key) == value for key, value in wanted.items())]


def values(rows: Iterable[Row], figure: str) -> list[float]:
    """One figure of every row that knows it."""
    return [row["found"][figure] for row in rows if row["found"].get(figure) is not None]


def mean(rows: Iterable[Row], figure: str) -> float | None:
    """The mean of a figure over the rows, None without one."""
    found = values(rows, figure)
    return statistics.mean(found) if found else None
