"""What a sweep writes after every run."""

from __future__ import annotations

import json
from pathlib import Path

from disparsity.recipe.sweep import Parameter, SweepSettings
from disparsity.sweep.report import write_sweep

SETTINGS = SweepSettings(parameters={"prune.sparsity": Parameter(low=0.5, high=0.95)})
TRIALS = [
    {"number": 0, "settings": {"prune.sparsity": 0.9}, "error": 2.0, "cost": 100.0, "on_front": True},
    {"number": 1, "settings": {"prune.sparsity": 0.5}, "error": 1.0, "cost": 500.0, "on_front": True},
    {"number": 2, "settings": {"prune.sparsity": 0.6}, "error": 2.5, "cost": 400.0, "on_front": False},
]


def test_table_data_and_picture(tmp_path: Path) -> None:
    text = write_sweep(tmp_path, SETTINGS, TRIALS, {3: "diverged"})
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    assert [row.split("|")[2].strip() for row in rows] == ["0000", "0002", "0001"]
    assert [row.split("|")[1].strip() for row in rows] == ["*", "", "*"]
    assert "trial 0003 could not be run: diverged" in text
    document = json.loads((tmp_path / "sweep.json").read_text())
    assert [trial["on_front"] for trial in document["trials"]] == [True, True, False]
    assert document["failed"] == [{"number": 3, "reason": "diverged"}]
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "front.svg").read_bytes()


def test_before_the_first_run(tmp_path: Path) -> None:
    write_sweep(tmp_path, SETTINGS, [], {})
    assert json.loads((tmp_path / "sweep.json").read_text())["trials"] == []
