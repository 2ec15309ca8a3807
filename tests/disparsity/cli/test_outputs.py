"""Outputs that can be written pass without a trace; the others are named."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity.base.errors import InputError
from disparsity.cli.outputs import check_file, check_folder


@pytest.mark.parametrize("check", [check_file, check_folder])
def test_new_and_existing_places(check: Callable[[Path | None], None], tmp_path: Path) -> None:
    check(None)
    check(tmp_path / "new")
    check(tmp_path / "deep" / "new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("check", [check_file, check_folder])
def test_relative_places(check: Callable[[Path | None], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check(Path("new"))
    check(Path("deep/new"))


def test_what_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    check_file(tmp_path / "file")
    check_folder(tmp_path)
    for wrong, check in (
        (tmp_path, check_file),
        (tmp_path / "file" / "x", check_file),
        (tmp_path / "file", check_folder),
    ):
        with pytest.raises(InputError, match=f"{tmp_path}.*: the output "):
            check(wrong)


def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InputError, match=f"cannot be written; no permission in {tmp_path}"):
        check_folder(tmp_path / "new")
