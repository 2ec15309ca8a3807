"""Row 21: languages, time zones, clocks, homes and odd places change no bit."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity import pipeline
from disparsity.base.atomic_io import sha256_of
from disparsity.recipe.recipe import load_recipe

HOSTILE = {"LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati", "HOME": "/proc/1", "LANG": "C", "PYTHONUTF8": "0"}
SINGLE = [{"LC_ALL": "C"}, {"LC_ALL": "tr_TR.UTF-8"}, {"TZ": "America/St_Johns"}, {"HOME": "/proc/1"}]
NETWORK = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}


def tensors(run: Path) -> list[str]:
    return [sha256_of(path) for path in run.glob("stages/01-prune/checkpoint-*.safetensors")]


@pytest.mark.slow
@pytest.mark.parametrize("settings", [HOSTILE, *(pytest.param(one, marks=pytest.mark.soak) for one in SINGLE)])
def test_the_same_bits(
    write_recipe: Callable[[Path], Path], finished: Path, tmp_path: Path, settings: dict[str, str]
) -> None:
    place = tmp_path / "with spaces, ümlauts and 視差"
    place.mkdir()
    recipe = write_recipe(place)
    command = [sys.executable, "-m", "disparsity", "prune", recipe.name, "--out", "the run"]
    environment = os.environ | NETWORK | settings
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert tensors(place / "the run") == tensors(finished) != []


def test_clocks_that_jump(finished: Path, write_recipe: Callable[[Path], Path], tmp_path: Path, monkeypatch) -> None:
    jumps = iter(range(0, -10_000_000, -1_000))
    monkeypatch.setattr(time, "time", lambda: float(next(jumps)))
    pipeline.run_single(load_recipe(write_recipe(tmp_path)), tmp_path / "run", "prune", None)
    assert tensors(tmp_path / "run") == tensors(finished) != []
