"""Limits on what is read at all."""

from __future__ import annotations

import pytest

from disparsity.base.errors import DataError
from disparsity.datasets.decoders import limits
from disparsity.datasets.decoders.limits import MAX_PIXELS, check_size, read_file


def test_sizes_up_to_the_limit_pass(tmp_path):
    check_size(tmp_path, MAX_PIXELS, 1)
    for width, height in ((MAX_PIXELS + 1, 1), (0, 5), (5, 0), (-1, -1)):
        with pytest.raises(DataError, match=f"found {width}x{height}"):
            check_size(tmp_path, width, height)


def test_a_large_file_is_refused_before_it_is_read(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"12345")
    assert read_file(tmp_path / "a") == b"12345"
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 4)
    with pytest.raises(DataError, match="too large; found 5 bytes"):
        read_file(tmp_path / "a")


def test_a_device_is_no_file():
    with pytest.raises(DataError, match="no such file"):
        read_file(limits.Path("/dev/zero"))
