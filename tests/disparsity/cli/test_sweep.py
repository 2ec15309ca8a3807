"""The command `sweep`: what it refuses before anything is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity.cli import main

SWEEP = ["--set", 'sweep.parameters={"prune.sparsity" = {low = 0.5, high = 0.9}}']


@pytest.mark.parametrize(
    ("changes", "message"),
    [([], "no section [sweep]"), ([*SWEEP, "--set", "processes=2"], "a sweep's runs have one process each")],
)
def test_what_cannot_be_swept_is_refused(
    write_recipe: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: list[str],
    message: str,
) -> None:
    assert main(["sweep", str(write_recipe(tmp_path)), "--out", str(tmp_path / "out"), *changes]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
