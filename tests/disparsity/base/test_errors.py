"""Messages say what, where, found, expected and what to do, on one line; classes know their exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from disparsity.base.errors import (
    CorruptArtefactError,
    DataError,
    DisparsityError,
    DivergedError,
    InputError,
    StoppedError,
    exact,
)


def test_all_parts_in_order() -> None:
    error = InputError("wrong size", where=Path("a/b.png"), found="3x4", expected="4x4", remedy="resize it")
    assert str(error) == "a/b.png: wrong size; found 3x4; expected 4x4; resize it"
    assert str(InputError("wrong")) == "wrong"
    assert str(InputError("wrong", found=0, expected=False)) == "wrong; found 0; expected False"


def test_always_one_line() -> None:
    assert str(InputError("a\nb", where="c\nd", found="e\nf", remedy="g\nh")) == "c d: a b; found e f; g h"


@pytest.mark.parametrize(
    ("kind", "code"),
    [(InputError, 2), (DataError, 2), (CorruptArtefactError, 3), (DivergedError, 4), (StoppedError, 75)],
)
def test_exit_codes(kind: type[DisparsityError], code: int) -> None:
    assert kind("x").exit_code == code
    assert isinstance(kind("x"), DisparsityError)


def test_numbers_that_differ_look_different() -> None:
    assert (exact(1038.02), exact(1038.018), exact(20.0), exact(3)) == ("1038.02", "1038.018", "20", "3")
