"""Row 6: a folder that cannot be written is refused at the start, one that vanishes ends the run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from campaign.children import ended, start
from campaign.cycles import new_trainer

from disparsity.base.errors import InputError
from disparsity.base.signals import StopRequest
from disparsity.cli import main
from disparsity.finetune.training import StepHook, Trainer
from disparsity.run import resumable
from disparsity.run.resumable import ResumableTraining

NOBODY = 65_534


def test_a_read_only_folder(write_recipe: Callable[[Path], Path], tmp_path: Path) -> None:
    recipe, place = write_recipe(tmp_path), Path("/tmp") / f"disparsity-read-only-{os.getpid()}"
    place.mkdir()
    place.chmod(0o555)

    def as_nobody() -> None:
        text = recipe.read_text().replace('checkpoint = "', 'checkpoint = "" # "')
        if os.getuid() == 0:
            os.setegid(NOBODY)
            os.seteuid(NOBODY)
        home = Path("/dev/shm") / f"disparsity-recipe-{os.getpid()}.toml"
        home.write_text(text)
        try:
            os._exit(main(["run", str(home), "--out", str(place / "run")]))
        finally:
            home.unlink()

    try:
        assert ended(start(as_nobody)) == 2
        assert list(place.iterdir()) == []
    finally:
        place.rmdir()


@pytest.mark.parametrize("saves", [False, True])
def test_a_folder_that_vanishes_is_not_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saves: bool) -> None:
    monkeypatch.setattr(resumable, "_SAVE_EVERY_SECONDS", 0.0 if saves else 1e9)
    monkeypatch.setattr(resumable, "_METRICS_EVERY", 1_000 if saves else 1)
    folder = tmp_path / "stage"
    folder.mkdir()

    class Vanishes(StepHook):
        def after_backward(self, trainer: Trainer, step: int) -> None:
            if step == 1:
                shutil.rmtree(folder)

    trainer = new_trainer(4, 32, 64)
    trainer.hooks.append(Vanishes())
    with pytest.raises(InputError, match="stage: the folder has disappeared during the run; check that its disk"):
        ResumableTraining(folder, StopRequest()).run(trainer, "test")
    assert list(tmp_path.iterdir()) == []
