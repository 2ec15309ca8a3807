"""Full disks are told by number, whoever reports them, with the bytes; other errors pass unchanged."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from disparsity.base.errors import InputError, StorageError
from disparsity.base.full_disk import full_disk_named


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left"), r"a: the disk is full; found \d+ bytes free; expected 77 bytes; make"),
        (OSError(errno.EDQUOT, "Quota"), r"a: the disk quota is used up; found \d+ bytes free; expected 77 bytes"),
        (OSError(errno.EFBIG, "Large"), r"a: the file is larger than the limit of this process; found a limit of"),
        (OSError("Can't write data (file write failed: errno = 28, error message = 'No')"), "a: the disk is full"),
        (RuntimeError("unable to extend file (errno = 122)"), "a: the disk quota is used up"),
    ],
)
def test_the_file_and_the_bytes_are_named(tmp_path: Path, error: Exception, message: str) -> None:
    with pytest.raises(StorageError, match=message) as caught, full_disk_named(tmp_path / "a", tmp_path / "t", 77):
        raise error
    assert caught.value.exit_code == 2
    assert not isinstance(caught.value, InputError)


def test_without_a_known_size_the_bytes_so_far_count(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t/part").write_bytes(bytes(123))
    for temporary, written in ((tmp_path / "t", 123), (tmp_path / "gone", 0)):
        with (
            pytest.raises(StorageError, match=f"expected more than the {written} bytes written"),
            full_disk_named(tmp_path / "not/there/yet", temporary),
        ):
            raise OSError(errno.ENOSPC, "No space left")


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "denied"), RuntimeError("errno = 5"), ValueError("x")])
def test_other_errors_pass(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)) as caught, full_disk_named(tmp_path / "a", tmp_path / "t"):
        raise error
    assert caught.value is error
