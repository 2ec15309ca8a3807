"""Row 20: two runs into one folder: the second refuses and names the first; a dead one is no bar."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from campaign.children import ended, start, wait_for

from disparsity.recipe.recipe import load_recipe
from disparsity.run.folder import open_run


def test_the_second_refuses_until_the_first_is_gone(
    write_recipe: Callable[[Path], Path], one_line: Callable[..., str], tmp_path: Path
) -> None:
    path, run = write_recipe(tmp_path), tmp_path / "run"
    recipe, ready = load_recipe(path), tmp_path / "ready"

    def holds() -> None:
        with open_run(run, recipe):
            ready.touch()
            time.sleep(600)

    child = start(holds)
    wait_for(ready, child)
    line = one_line(2, "run", path, "--out", run)
    assert f"another process works in this folder; found process {child} on {socket.gethostname()}" in line
    os.kill(child, signal.SIGKILL)
    ended(child)
    assert (run / ".lock").read_text().startswith(f"process {child} on")
    with open_run(run, recipe):
        assert (run / ".lock").read_text().startswith(f"process {os.getpid()} on")


def test_a_fork_of_the_holder_is_refused_too(write_recipe: Callable[[Path], Path], tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path))

    def second() -> None:
        with pytest.raises(Exception, match="another process works in this folder"), open_run(tmp_path / "run", recipe):
            pass

    with open_run(tmp_path / "run", recipe):
        assert ended(start(second)) == 0
