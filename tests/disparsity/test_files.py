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

from disparsity.errors import InputError
from disparsity.files import sha256_of, write_atomic, write_bytes, write_folder, write_json, write_text


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

    with pytest.raises(OSError, match="No space"):
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
    temporary = f".a.{os.getpid()}.tmp"
    assert calls == [f"fsync {temporary}", f"replace {temporary} a", f"fsync {tmp_path.name}"]


def test_killed_writers_never_leave_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    code = (
        "import sys, itertools; from pathlib import Path; from disparsity.files import write_bytes\n"
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


def fill(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / name).write_text("new")


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_made_and_replaced_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    write_folder(out, ["a", "b"], fill)
    assert contents(tmp_path) == {"deep/out/a": "new", "deep/out/b": "new"}
    (out / "a").write_text("old")
    write_folder(out, ["a", "b"], fill)
    assert contents(tmp_path) == {"deep/out/a": "new", "deep/out/b": "new"}
    assert names(out.parent) == ["out"]


def test_a_folder_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, replace = tmp_path / "out", os.replace
    out.mkdir()
    (out / "a").write_text("old")

    def half(folder: Path) -> None:
        (folder / "a").write_text("new")
        raise OSError("disk full")

    def stubborn(source: Path, target: Path) -> None:
        if source.name.endswith(".tmp"):
            raise OSError("no rename")
        replace(source, target)

    with pytest.raises(OSError, match="disk full"):
        write_folder(out, ["a", "b"], half)
    assert contents(tmp_path) == {"out/a": "old"}
    monkeypatch.setattr(os, "replace", stubborn)
    with pytest.raises(OSError, match="no rename"):
        write_folder(out, ["a", "b"], fill)
    assert contents(tmp_path) == {"out/a": "old"}
    assert names(tmp_path) == ["out"]


def test_other_files_and_folders_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(InputError, match="the output is a file"):
        write_folder(tmp_path / "mine", ["a"], fill)
    with pytest.raises(InputError, match="holds something else; found mine"):
        write_folder(tmp_path, ["a"], fill)
    assert contents(tmp_path) == {"mine": "mine"}
