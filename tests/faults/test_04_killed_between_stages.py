"""Row 4: killed after every stage; finished stages are taken from the disk, and the end is that of an unbroken run."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from campaign.children import ended, start

from disparsity import pipeline
from disparsity.recipe.recipe import load_recipe


@pytest.mark.slow
def test_killed_after_every_stage(
    write_recipe: Callable[[Path], Path],
    finished: Path,
    hashes: Callable[[Path], dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe, run = load_recipe(write_recipe(tmp_path)), tmp_path / "run"
    monkeypatch.setattr(pipeline, "build_report", lambda _run, _recipe: {})
    real = pipeline.run_stage

    def deadly(context, planned, network):
        before = list(run.glob("stages/*/checkpoint.json"))
        trained = real(context, planned, network)
        if len(list(run.glob("stages/*/checkpoint.json"))) > len(before):
            os.kill(os.getpid(), signal.SIGKILL)
        return trained

    def child() -> None:
        pipeline.run_stage = deadly
        pipeline.run(recipe, run)

    written: dict[Path, int] = {}
    for stages in range(1, 5):
        assert ended(start(child)) == -signal.SIGKILL
        found = {path: path.stat().st_mtime_ns for path in run.glob("stages/*/checkpoint.json")}
        assert len(found) == stages
        assert written.items() <= found.items(), "a finished stage was taken again"
        written = found
    pipeline.run(recipe, run)
    assert hashes(run) == hashes(finished)
    assert len(hashes(run)) == 4 + 3
