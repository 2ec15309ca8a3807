"""Row 5: the disk is full at byte n: one line with the bytes, nothing lost, nothing left."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from campaign.children import ended, start
from campaign.writers import SIZE, WRITERS

from disparsity.base.errors import StorageError

Limit = Callable[[int], AbstractContextManager[None]]


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in ("metrics", "packed data")])
def test_a_limit_at_any_byte(tmp_path: Path, file_limit: Limit, name: str) -> None:
    writer = WRITERS[name]
    writer.write(tmp_path, 1)
    names = sorted(path.name for path in tmp_path.rglob("*"))
    largest = max(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    for size in {0, 1, 100, *(largest * part // 8 for part in range(1, 8)), largest - 1}:
        with file_limit(size), pytest.raises(StorageError, match=r"larger than the limit.*found a limit of .* bytes"):
            writer.write(tmp_path, 2)
        assert writer.read(tmp_path) == 1
        assert sorted(path.name for path in tmp_path.rglob("*")) == names
    writer.write(tmp_path, 2)
    assert writer.read(tmp_path) == 2


def test_a_limit_while_packing_data(tmp_path: Path, file_limit: Limit) -> None:
    """In a process of its own: HDF5 also reports to standard error what it could not write."""
    writer = WRITERS["packed data"]
    writer.write(tmp_path, 1)
    size = (tmp_path / "data.h5").stat().st_size

    def work(limit: int) -> None:
        with file_limit(limit), pytest.raises(StorageError, match=r"data\.h5: the file is larger than the limit"):
            writer.write(tmp_path, 2)
        os._exit(7)

    for limit in (0, 100, size // 2, size - 1):
        assert ended(start(lambda limit=limit: work(limit))) == 7
        assert writer.read(tmp_path) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["data.h5"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("written", [0, 1, SIZE // 2, SIZE])
def test_no_room_after_some_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, written: int) -> None:
    WRITERS["file"].write(tmp_path, 1)
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        write(path, content[:written])
        raise OSError(number, "no room")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match=rf"a\.bin: the disk .*; found \d+ bytes free; expected {SIZE} bytes; make"):
        WRITERS["file"].write(tmp_path, 2)
    assert WRITERS["file"].read(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_the_command_line(checkpoint: Path, tmp_path: Path, one_line: Callable[..., str], file_limit: Limit) -> None:
    command = ("export", checkpoint, "--format", "zigzag", "--size", "64x128", "--out", tmp_path / "a.yaml")
    with file_limit(100):
        line = one_line(2, *command)
    assert "a.yaml: the file is larger than the limit of this process; found a limit of 100 bytes; expected " in line
    assert list(tmp_path.iterdir()) == []
