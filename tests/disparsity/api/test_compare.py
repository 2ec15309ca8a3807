"""Comparisons hold the reports' own figures, and the settings that differ and no others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import disparsity
from disparsity.api.compare import compare
from disparsity.api.run import Run
from disparsity.base.errors import CorruptArtefactError, InputError


@pytest.fixture
def other(finished: Path, tmp_path: Path) -> Path:
    """The same run under another seed, with other figures."""
    run = Path(shutil.copytree(finished, tmp_path / "other"))
    recipe = (run / "recipe.toml").read_text()
    assert "seed = 0\n" in recipe
    (run / "recipe.toml").write_text(recipe.replace("seed = 0\n", "seed = 5\n", 1))
    report = json.loads((run / "report" / "report.json").read_text())
    report["accuracy"][-1]["epe_px"] = 1.25
    report["settings"]["seed"] = 5
    (run / "report" / "report.json").write_text(json.dumps(report))
    return run


def test_figures_side_by_side(finished: Path, other: Path, tmp_path: Path) -> None:
    report = json.loads((finished / "report" / "report.json").read_text())
    found = compare(finished, other, out=tmp_path / "out")
    first, second = found.runs
    assert [run["name"] for run in found.runs] == [finished.name, "other"]
    last, dense = report["accuracy"][-1], report["accuracy"][0]
    assert (first["epe_px"], first["dense_epe_px"], second["epe_px"]) == (last["epe_px"], dense["epe_px"], 1.25)
    assert first["packed_file_bytes"] == (finished / "compressed.h5").stat().st_size
    assert first["cycles"] == report["latency"]["cycles"]["compressed"]
    assert first["mac_energy_pj"] == report["hardware"]["mac_energy_pj"]["compressed"]
    assert found.settings == {"seed": [0, 5], "report.seed": [0, 5]}
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == found.as_json()
    text = (tmp_path / "out" / "comparison.md").read_text()
    assert text == f"{found}\n"
    assert "| seed | 0 | 5 |" in text
    assert f"| {first['packed_file_bytes']:,} |" in text


def test_runs_reports_and_files_are_taken(finished: Path) -> None:
    places = finished, Run(finished), Run(finished).report, finished / "report" / "report.json", finished / "report"
    found = compare(*places, names="abcde")
    assert found.settings == {}
    assert all({**run, "name": "a"} == found.runs[0] for run in found.runs)


def test_a_network_without_data_has_no_error(checkpoint: Path) -> None:
    report = disparsity.cost(checkpoint, "32x64")
    found = compare(report, disparsity.cost(checkpoint, "32x64", dataflow="os"))
    assert [run["name"] for run in found.runs] == ["report 1", "report 2"]
    assert found.settings == {"machine.dataflow": ["ws", "os"]}
    assert found.runs[0]["epe_px"] is None
    assert "| EPE [px] | not known | not known |" in str(found)


def test_what_cannot_be_compared(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a comparison takes two or more runs; found 1 runs"):
        compare(finished)
    with pytest.raises(InputError, match=r"no report here; expected a finished run, or a folder with report\.json"):
        compare(finished, tmp_path)
    (tmp_path / "report.json").write_text("{")
    with pytest.raises(CorruptArtefactError, match=r"report\.json: not a report"):
        compare(finished, tmp_path)
