"""Sources of packed data: by size and time first, by content where the time has changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from disparsity.base.errors import DataError
from disparsity.datasets.packed.sources import check_sources, content_of, stats_of


@pytest.fixture
def files(tmp_path) -> list[Path]:
    for name in ("l.png", "r.png"):
        (tmp_path / name).write_bytes(name.encode())
    return [tmp_path / "l.png", tmp_path / "r.png"]


def check(root: Path, stats: np.ndarray, content: bytes) -> None:
    check_sources(Path("x.h5"), root, [["l.png", "r.png"]], stats[None], np.frombuffer(content, np.uint8)[None])


def test_stats_and_contents(files):
    status = files[1].stat()
    assert stats_of(files)[2:].tolist() == [5, status.st_mtime_ns, 0, 0, 0, 0]
    assert content_of(files) == hashlib.sha256(b"l.pngr.png").digest()
    assert stats_of([]).tolist() == [0] * 8


def test_only_another_content_is_a_change(tmp_path, files):
    stats, content = stats_of(files), content_of(files)
    check(tmp_path, stats, content)
    check(tmp_path, stats, bytes(32))  # the same time and size: the content is not read
    os.utime(files[0], ns=(0, 7))
    check(tmp_path, stats, content)
    with pytest.raises(DataError, match=r"x\.h5: the sources have changed"):
        check(tmp_path, stats, bytes(32))
    check(tmp_path / "gone", stats, content)
    files[1].unlink()
    with pytest.raises(DataError, match=r"a difference at .*r\.png"):
        check(tmp_path, stats, content)
