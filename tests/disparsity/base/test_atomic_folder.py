"""Folders that are replaced whole: the old or the new content at every moment, and what a crash leaves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from disparsity.base import atomic_folder
from disparsity.base.atomic_folder import write_folder
from disparsity.base.atomic_io import beside
from disparsity.base.errors import InputError, StorageError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=["in one step", "stepping aside"])
def exchange(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of exchanging folders; the second is that of systems without the first."""
    if request.param == "stepping aside":
        monkeypatch.setattr(atomic_folder, "_swapped", lambda _one, _other: False)


def fill(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / name).write_text("new")


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_made_and_replaced_whole(tmp_path: Path, exchange: None) -> None:
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
    monkeypatch.setattr(atomic_folder, "_swapped", lambda _one, _other: False)
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


def test_what_a_crash_left_aside_is_put_back_before_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: 2**22 + 1)  # larger than any process number
        aside, stray = beside(out, "old"), beside(out, "tmp")
    for folder in (aside, stray):
        folder.mkdir()
        (folder / "a").write_text("old" if folder is aside else "half")

    def fails(_folder: Path) -> None:
        assert contents(tmp_path) == {"out/a": "old"}
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="out: the disk is full"):
        write_folder(out, ["a", "b"], fails)
    assert contents(tmp_path) == {"out/a": "old"}
    assert names(tmp_path) == ["out"]


def test_the_remains_of_a_crashed_process_with_our_number_are_no_part_of_the_result(tmp_path: Path) -> None:
    remains = beside(tmp_path / "out", "tmp")
    remains.mkdir()
    (remains / "stranger").write_text("half")
    write_folder(tmp_path / "out", ["a", "b"], fill)
    assert names(tmp_path / "out") == ["a", "b"]


def test_folders_change_places_in_one_step_where_the_system_can(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not atomic_folder._swapped(tmp_path / "one", tmp_path / "two"):
        pytest.skip("this file system cannot exchange folders")
    assert (names(tmp_path / "one"), names(tmp_path / "two")) == (["two"], ["one"])
    assert not atomic_folder._swapped(tmp_path / "one", tmp_path / "gone")


def test_everything_is_synced_before_the_folder_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, replace = [], os.replace
    monkeypatch.setattr(atomic_folder, "fsync", lambda path: calls.append(path.name))
    monkeypatch.setattr(os, "replace", lambda one, other: (calls.append("replace"), replace(one, other)))

    def deep(folder: Path) -> None:
        (folder / "inner").mkdir()
        (folder / "inner/a").write_text("new")

    write_folder(tmp_path / "out", [], deep)
    assert calls == ["inner", "a", beside(tmp_path / "out", "tmp").name, "replace", tmp_path.name]


def test_a_link_to_a_folder_is_replaced_and_what_it_led_to_stays(tmp_path: Path, exchange: None) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a").write_text("old")
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    write_folder(tmp_path / "out", ["a", "b"], fill)
    assert contents(tmp_path) == {"elsewhere/a": "old", "out/a": "new", "out/b": "new"}
    assert names(tmp_path) == ["elsewhere", "out"]
