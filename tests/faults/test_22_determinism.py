"""Row 22: a fresh process, other hashes of strings, and workers: the same bits of every stage."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CODE = (
    "import sys; from pathlib import Path; from disparsity import pipeline\n"
    "from disparsity.recipe.recipe import load_recipe\n"
    "pipeline.build_report = lambda run, recipe: {}\n"
    "pipeline.run(load_recipe(Path(sys.argv[1]), sys.argv[3:]), Path(sys.argv[2]))"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "workers"),
    [("1", 2), pytest.param("2", 0, marks=pytest.mark.soak), pytest.param("3", 1, marks=pytest.mark.soak)],
)
def test_the_same_hashes(
    write_recipe: Callable[[Path], Path],
    finished: Path,
    hashes: Callable[[Path], dict[str, str]],
    tmp_path: Path,
    seed: str,
    workers: int,
) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-c", CODE, str(write_recipe(tmp_path)), str(run), f"data.workers={workers}"]
    environment = os.environ | {"PYTHONHASHSEED": seed}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert hashes(run) == hashes(finished)
    assert len(hashes(run)) == 4 + 3
