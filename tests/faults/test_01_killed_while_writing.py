"""Row 1: SIGKILL at random moments, and before every call to the disk, of every writer."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from campaign.children import ended, start
from campaign.kills import kill
from campaign.writers import WRITERS

KILLS = 8
"""Of each of seven writers: 56."""


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("times", [KILLS, pytest.param(150, marks=pytest.mark.soak)])
def test_what_was_there_is_never_lost(tmp_path: Path, name: str, times: int) -> None:
    found = kill(name, times, tmp_path / "kills")
    assert (found.kills, found.lost, found.broken, found.left_over) == (times, 0, 0, 0)


@pytest.mark.parametrize("name", ["file", "checkpoint", "export folder"])
def test_killed_before_every_call_to_the_disk(tmp_path: Path, name: str) -> None:
    writer, last, call = WRITERS[name], 1, 0
    writer.write(tmp_path, 1)
    while True:
        code = ended(start(lambda last=last, call=call: _write_until(name, tmp_path, last + 1, call)))
        found = writer.read(tmp_path)
        assert found in (last, last + 1)
        last, call = found, call + 1
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert call > 3


def _write_until(name: str, folder: Path, generation: int, call: int) -> None:
    calls = iter(range(1_000))

    def deadly(function):
        def called(*arguments, **named):
            if next(calls) == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **named)

        return called

    for function in ("fsync", "replace", "unlink", "mkdir"):
        setattr(os, function, deadly(getattr(os, function)))
    WRITERS[name].write(folder, generation)
