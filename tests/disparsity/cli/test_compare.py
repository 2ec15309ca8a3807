"""`compare`: what the function of this name gives, in print, as JSON and in a folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import disparsity


def test_a_run_beside_a_cost_report(
    run_main: Callable[..., str], finished: Path, checkpoint: Path, tmp_path: Path
) -> None:
    run_main("cost", checkpoint, "--size", "32x64", "--dataflow", "os", "--out", tmp_path / "dense")
    printed = run_main(
        "compare", finished, tmp_path / "dense", "--out", tmp_path / "out", "--json", tmp_path / "compared.json"
    )
    expected = disparsity.compare(finished, tmp_path / "dense")
    assert printed == f"{expected}\n" == (tmp_path / "out" / "comparison.md").read_text()
    assert expected.settings["machine.dataflow"] == ["ws", "os"]
    assert json.loads((tmp_path / "compared.json").read_text()) == json.loads(json.dumps(expected.as_json()))


def test_what_cannot_be_compared(refused: Callable[..., str], finished: Path, tmp_path: Path) -> None:
    assert "a comparison takes two or more runs; found 1 runs" in refused(2, "compare", finished)
    assert "no report here" in refused(2, "compare", finished, tmp_path, "--json", tmp_path / "out.json")
