"""Notices: one line on standard error, from the first process."""

from __future__ import annotations

import pytest

from disparsity.base import distributed
from disparsity.base.notices import notice


def test_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    notice("first\nsecond")
    assert capsys.readouterr() == ("", "disparsity: first second\n")


def test_other_processes_are_silent(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "rank", lambda: 1)
    notice("said by the first process already")
    assert capsys.readouterr() == ("", "")
