"""Event files, read back with TensorBoard's own reader."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from disparsity.base.errors import InputError
from disparsity.run.tensorboard import Scalars, check_tensorboard

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the package's own imports


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    accumulation = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = accumulation.EventAccumulator(str(folder / "tensorboard"))
    found.Reload()
    return {tag: [(event.step, event.value) for event in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def test_every_known_figure_at_its_step(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    scalars = Scalars(tmp_path, 0)
    scalars.add({"step": 10, "loss": 2.0, "epe_px": None})
    scalars.add({"step": 20, "loss": 1.5, "epe_px": 0.5})
    scalars.close()
    assert read(tmp_path) == {"loss": [(10, 2.0), (20, 1.5)], "epe_px": [(20, 0.5)]}


def test_steps_that_are_taken_again_do_not_count_twice(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    first = Scalars(tmp_path, 0)
    for step in (10, 20, 30):
        first.add({"step": step, "loss": float(step)})
    first.close()
    second = Scalars(tmp_path, 15)
    second.add({"step": 20, "loss": 1.0})
    second.close()
    assert read(tmp_path) == {"loss": [(10, 10.0), (20, 1.0)]}


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(InputError, match=r"pip install 'disparsity\[tensorboard\]'"):
        check_tensorboard()
