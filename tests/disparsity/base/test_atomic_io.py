"""Atomic writing: old or new content, never half of either, and in the right order on the disk."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from disparsity.base import atomic_io
from disparsity.base.atomic_io import (
    beside,
    remove_strays,
    sha256_of,
    write_atomic,
    write_bytes,
    write_json,
    write_text,
)
from disparsity.base.errors import StorageError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_writers(tmp_path: Path) -> None:
    write_text(tmp_path / "deep/er/a.txt", "ä\n")
    assert (tmp_path / "deep/er/a.txt").read_bytes() == "ä\n".encode()
    write_bytes(tmp_path / "b", b"\x00\xff")
    assert (tmp_path / "b").read_bytes() == b"\x00\xff"
    write_json(tmp_path / "c.json", {"x": [1, None]})
    assert json.loads((tmp_path / "c.json").read_text()) == {"x": [1, None]}
    assert names(tmp_path) == ["b", "c.json", "deep"]


def test_failed_write_keeps_the_old_content_and_leaves_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def fails(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="the disk is full"):
        write_atomic(path, fails)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_has_no_nan_and_the_old_file_stays(tmp_path: Path, value: float) -> None:
    write_json(tmp_path / "a.json", {"x": 1.0})
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"x": value})
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": 1.0}


def test_file_is_synced_before_the_rename_and_the_folder_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def log_fsync(descriptor: int) -> None:
        calls.append(f"fsync {Path(os.readlink(f'/proc/self/fd/{descriptor}')).name}")
        fsync(descriptor)

    def log_replace(source: Any, target: Any) -> None:
        calls.append(f"replace {Path(source).name} {Path(target).name}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", log_fsync)
    monkeypatch.setattr(os, "replace", log_replace)
    write_text(tmp_path / "a", "new")
    temporary = beside(tmp_path / "a", "tmp").name
    assert str(os.getpid()) in temporary
    assert calls == [f"fsync {temporary}", f"replace {temporary} a", f"fsync {tmp_path.name}"]


def test_killed_writers_never_leave_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    code = (
        "import sys, itertools; from pathlib import Path; from disparsity.base.atomic_io import write_bytes\n"
        "for i in itertools.count(): write_bytes(Path(sys.argv[1]), bytes([i % 256]) * 300_000)"
    )
    for delay in (0.0, 0.007, 0.02):
        child = subprocess.Popen([sys.executable, "-c", code, str(path)])
        path.unlink(missing_ok=True)
        while not path.exists():
            time.sleep(0.001)
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        child.wait()
        content = path.read_bytes()
        assert len(content) == 300_000
        assert len(set(content)) == 1


def test_sha256_of_a_file_larger_than_a_chunk(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5_000
    (tmp_path / "a").write_bytes(content)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def ended_process() -> int:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child


def test_what_killed_processes_left_is_removed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left_by(process: int, name: str) -> Path:
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: process)
            return beside(tmp_path / name, "tmp")

    dead, alive = left_by(ended_process(), "a.h5"), left_by(os.getppid(), "b.h5")
    elsewhere = tmp_path / f".c.another-machine.{os.getppid()}.disparsity.tmp"
    for path in (dead, alive, elsewhere, tmp_path / ".mine.12345.tmp"):
        path.write_text("half")
    folder = left_by(ended_process(), "folder")
    (folder / "deep").mkdir(parents=True)
    write_text(tmp_path / "new", "new")
    assert names(tmp_path) == sorted([".mine.12345.tmp", alive.name, elsewhere.name, "new"])
    remove_strays(tmp_path, of_all=True)
    assert names(tmp_path) == [".mine.12345.tmp", "new"]


def test_a_folder_is_looked_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_text(tmp_path / "a", "a")
    monkeypatch.setattr(atomic_io, "is_left", lambda name, of_all: pytest.fail(name))
    write_text(tmp_path / "b", "b")
