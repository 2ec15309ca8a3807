"""`report`: the same bytes again from a run's folder, and clear refusals."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from disparsity.evaluation.measured_latency import MeasuredLatency
from disparsity.report.report import unknown
from disparsity.report.schema import parse_report

Snapshot = Callable[[Path], dict[str, str]]


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def test_the_same_bytes_again(run_main: Callable[..., str], finished: Path, snapshot: Snapshot, run: Path) -> None:
    shutil.rmtree(run / "report")
    (run / "compressed.h5").unlink()
    printed = run_main("report", run)
    assert snapshot(run) == snapshot(finished)
    assert printed.endswith(f"report: {run / 'report' / 'report.html'}\n")


@pytest.mark.slow
def test_latency_is_measured_when_asked_for_and_kept(
    run_main: Callable[..., str], monkeypatch: pytest.MonkeyPatch, run: Path
) -> None:
    section = replace(
        unknown(MeasuredLatency), runtime="openvino", input_size=(32, 64), warnings=("measured just now",)
    )
    asked: list[tuple[list[str], str, int]] = []

    def measure(networks: dict[str, Any], size: tuple[int, int], runtime: str, runs: int, _: Any) -> MeasuredLatency:
        assert size == (32, 64)
        asked.append((list(networks), runtime, runs))
        return section

    monkeypatch.setattr("disparsity.report.build.measure_latency", measure)
    assert "measured just now" not in (run / "report" / "report.html").read_text()
    assert "Warning: measured just now." in run_main("report", run, "--latency", "onnxruntime")
    assert "Warning: measured just now." in run_main("report", run, "--latency")
    assert "Warning: measured just now." in run_main("report", run)
    networks = ["dense", "pruned", "compressed"]
    assert asked == [(networks, "onnxruntime", 20), (networks, "openvino", 20)]
    assert parse_report((run / "report" / "report.json").read_bytes()).measured_latency == section


def test_no_run(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "no run in this folder; expected recipe.toml" in refused(2, "report", tmp_path)
    assert "no run in this folder" in refused(2, "report", tmp_path / "nowhere")


def test_a_run_without_a_finished_stage(refused: Callable[..., str], run: Path) -> None:
    shutil.rmtree(run / "stages")
    assert "no finished stage" in refused(2, "report", run)


def test_a_damaged_run(refused: Callable[..., str], run: Path) -> None:
    evaluation = run / "evaluation" / "dense.json"
    evaluation.write_text(evaluation.read_text()[:40])
    assert f"{evaluation}: not an evaluation" in refused(3, "report", run)
    evaluation.write_text("[]")
    assert f"{evaluation}: not an evaluation" in refused(3, "report", run)


def test_a_damaged_map(refused: Callable[..., str], run: Path) -> None:
    stored = run / "evaluation" / "dense" / "00.npy"
    stored.write_bytes(stored.read_bytes()[:200])
    assert f"{stored}: checksum mismatch" in refused(3, "report", run)


def test_a_damaged_stage(refused: Callable[..., str], run: Path) -> None:
    side_file = run / "stages" / "04-finetune_quantized" / "checkpoint.json"
    side_file.write_text(side_file.read_text()[:100])
    assert f"{side_file}: " in refused(3, "report", run)
