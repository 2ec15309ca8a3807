"""`export --format onnx`, and `--runtime onnxruntime` of the commands that run what it wrote."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from disparsity.cli.runtime import RUNTIME_NAMES
from disparsity.datasets.pfm import read_pfm
from disparsity.runtimes import RUNTIMES

onnx = pytest.importorskip("onnx")
DATA = "synthetic:?pairs=3&size=32x64&seed=4&max_disparity=16"


def test_the_option_offers_every_runtime() -> None:
    assert tuple(RUNTIMES) == RUNTIME_NAMES


def test_export_writes_the_file_and_says_how_large_it_is(
    run_main: Callable[..., str], monkeypatch: pytest.MonkeyPatch, deployable: Path, onnx_file: Path, tmp_path: Path
) -> None:
    # The graph is the one of the fixture, since tracing takes a while.
    monkeypatch.setattr("disparsity.export.onnx_file.onnx_graph", lambda *_: onnx.load(onnx_file))
    out = tmp_path / "deep" / "network.onnx"
    printed = run_main("export", deployable, "--format", "onnx", "--size", "30x61", "--out", out)
    assert printed == f"{out} {out.stat().st_size} bytes\n"
    assert out.read_bytes() == onnx_file.read_bytes()
    assert [path.name for path in out.parent.iterdir()] == ["network.onnx"]


def test_the_same_error_in_both_runtimes(
    run_main: Callable[..., str], deployable: Path, onnx_file: Path, tmp_path: Path
) -> None:
    rows = {}
    for runtime, checkpoint in (("torch", deployable), ("onnxruntime", onnx_file)):
        path = tmp_path / f"{runtime}.json"
        run_main("evaluate", checkpoint, "--data", DATA, "--runtime", runtime, "--json", path)
        rows[runtime] = json.loads(path.read_text())
        assert rows[runtime]["runtime"] == runtime
        assert (rows[runtime]["stage"], rows[runtime]["images"]) == ("quantized", 3)
    assert rows["onnxruntime"]["pixels"] == rows["torch"]["pixels"] > 1000
    assert rows["onnxruntime"]["epe_px"] == pytest.approx(rows["torch"]["epe_px"], rel=0.01)


def test_the_same_map_in_both_runtimes(
    run_main: Callable[..., str], deployable: Path, onnx_file: Path, kitti: Path, tmp_path: Path
) -> None:
    views = [kitti / "training" / folder / "000000_10.png" for folder in ("image_2", "image_3")]
    run_main("predict", deployable, *views, "--out", tmp_path / "torch")
    run_main("predict", onnx_file, *views, "--out", tmp_path / "onnx", "--runtime", "onnxruntime")
    ours, theirs = (read_pfm(tmp_path / folder / "disparity.pfm") for folder in ("torch", "onnx"))
    assert np.abs(ours - theirs).mean() < 0.05
    assert np.ptp(ours) > 1


def test_what_a_runtime_cannot_run(
    refused: Callable[..., str], deployable: Path, onnx_file: Path, tmp_path: Path
) -> None:
    evaluate = ("evaluate", "--data", DATA)
    assert "add --runtime onnxruntime" in refused(2, *evaluate, onnx_file)
    assert "no such file" in refused(2, *evaluate, tmp_path / "none.onnx", "--runtime", "onnxruntime")
    assert "no such file" in refused(2, *evaluate, deployable, "--runtime", "onnxruntime")
    broken = deployable / "checkpoint.json"
    assert "cannot read the file" in refused(3, *evaluate, broken, "--runtime", "onnxruntime")
    named = refused(2, *evaluate, onnx_file, "--runtime", "onnxruntime", "--network", "reference")
    assert "an exported file knows its network" in named


def test_images_of_another_size(refused: Callable[..., str], onnx_file: Path, tmp_path: Path) -> None:
    data = DATA.replace("32x64", "36x64")
    line = refused(2, "evaluate", onnx_file, "--data", data, "--runtime", "onnxruntime", "--json", tmp_path / "row")
    assert "found 36x64, padded 36x64; expected 32x64 after padding; export again with --size 36x64" in line


def test_exports_that_cannot_be(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch, deployable: Path, tmp_path: Path
) -> None:
    export = ("export", deployable, "--format", "onnx", "--out", tmp_path / "network.onnx")
    assert "--size" in refused(2, *export)
    assert "not a size" in refused(2, *export, "--size", "0x64")
    assert "too large" in refused(2, *export, "--size", "99999x99999")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    assert "onnxscript is not installed; pip install 'disparsity[onnx]'" in refused(2, *export, "--size", "32x64")


def test_onnxruntime_is_not_installed(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch, onnx_file: Path
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    line = refused(2, "evaluate", onnx_file, "--data", DATA, "--runtime", "onnxruntime")
    assert "onnxruntime is not installed; pip install 'disparsity[onnx]'" in line
