"""`export --format onnx` and `openvino`, and `--runtime` of the commands that run what they wrote."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from disparsity.checkpoint.restore import open_network
from disparsity.datasets.decoders.pfm import read_pfm
from disparsity.export.onnx import file
from disparsity.export.openvino import graph as openvino_graph
from disparsity.quant.attach import quantized_layers

onnx = pytest.importorskip("onnx")
DATA = "synthetic:?pairs=3&size=32x64&seed=4&max_disparity=16"


def test_export_writes_the_file_and_says_how_large_it_is(
    run_main: Callable[..., str], monkeypatch: pytest.MonkeyPatch, deployable: Path, onnx_file: Path, tmp_path: Path
) -> None:
    # The graph is the one of the fixture, since tracing takes a while.
    monkeypatch.setattr(file, "onnx_graph", lambda *_: onnx.load(onnx_file))
    out = tmp_path / "deep" / "network.onnx"
    printed = run_main("export", deployable, "--format", "onnx", "--size", "30x61", "--out", out)
    assert printed == f"{out} {out.stat().st_size} bytes\n"
    assert out.read_bytes() == onnx_file.read_bytes()
    assert [path.name for path in out.parent.iterdir()] == ["network.onnx"]


def test_export_for_openvino_says_which_kernels_run(
    run_main: Callable[..., str], monkeypatch: pytest.MonkeyPatch, deployable: Path, onnx_file: Path, tmp_path: Path
) -> None:
    pytest.importorskip("openvino")
    monkeypatch.setattr(openvino_graph, "onnx_graph", lambda *_: onnx.load(onnx_file))
    out = tmp_path / "deep" / "network"
    printed = run_main("export", deployable, "--format", "openvino", "--size", "30x61", "--out", out).splitlines()
    assert printed[0] == f"{out} {sum(path.stat().st_size for path in out.iterdir())} bytes"
    layers = set(quantized_layers(open_network(str(deployable), None)))
    assert {line.split()[2] for line in printed if "Conv" in line} >= layers
    assert [path.name for path in out.parent.iterdir()] == ["network"]


def test_the_same_error_in_all_runtimes(
    run_main: Callable[..., str], deployable: Path, onnx_file: Path, openvino_folder: Path, tmp_path: Path
) -> None:
    rows = {}
    for runtime, checkpoint in (("torch", deployable), ("onnxruntime", onnx_file), ("openvino", openvino_folder)):
        path = tmp_path / f"{runtime}.json"
        run_main("evaluate", checkpoint, "--data", DATA, "--runtime", runtime, "--json", path)
        rows[runtime] = json.loads(path.read_text())
        assert rows[runtime]["runtime"] == runtime
        assert (rows[runtime]["stage"], rows[runtime]["images"]) == ("quantized", 3)
    for runtime in ("onnxruntime", "openvino"):
        assert rows[runtime]["pixels"] == rows["torch"]["pixels"] > 1000
        assert rows[runtime]["epe_px"] == pytest.approx(rows["torch"]["epe_px"], rel=0.01)


def test_the_same_map_in_all_runtimes(
    run_main: Callable[..., str], deployable: Path, onnx_file: Path, openvino_folder: Path, kitti: Path, tmp_path: Path
) -> None:
    views = [kitti / "training" / folder / "000000_10.png" for folder in ("image_2", "image_3")]
    run_main("predict", deployable, *views, "--out", tmp_path / "torch")
    ours = read_pfm(tmp_path / "torch" / "disparity.pfm")
    assert np.ptp(ours) > 1
    for runtime, exported in (("onnxruntime", onnx_file), ("openvino", openvino_folder)):
        run_main("predict", exported, *views, "--out", tmp_path / runtime, "--runtime", runtime)
        assert np.abs(ours - read_pfm(tmp_path / runtime / "disparity.pfm")).mean() < 0.05


def test_what_a_runtime_cannot_run(
    refused: Callable[..., str], deployable: Path, onnx_file: Path, openvino_folder: Path, tmp_path: Path
) -> None:
    evaluate = ("evaluate", "--data", DATA)
    assert "add --runtime onnxruntime" in refused(2, *evaluate, onnx_file)
    assert "add --runtime openvino" in refused(2, *evaluate, openvino_folder)
    for wrong in (onnx_file, deployable, tmp_path / "none"):
        assert "not an OpenVINO export" in refused(2, *evaluate, wrong, "--runtime", "openvino")
    assert "no such file" in refused(2, *evaluate, tmp_path / "none.onnx", "--runtime", "onnxruntime")
    assert "no such file" in refused(2, *evaluate, deployable, "--runtime", "onnxruntime")
    broken = deployable / "checkpoint.json"
    assert "cannot read the file" in refused(3, *evaluate, broken, "--runtime", "onnxruntime")
    for runtime, exported in (("onnxruntime", onnx_file), ("openvino", openvino_folder)):
        named = refused(2, *evaluate, exported, "--runtime", runtime, "--network", "reference")
        assert "an exported file knows its network" in named


def test_images_of_another_size(refused: Callable[..., str], onnx_file: Path, tmp_path: Path) -> None:
    data = DATA.replace("32x64", "36x64")
    line = refused(2, "evaluate", onnx_file, "--data", data, "--runtime", "onnxruntime", "--json", tmp_path / "row")
    assert "found 36x64, padded 36x64; expected 32x64 after padding; export again with --size 36x64" in line


def test_openvino_is_not_installed(
    refused: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    deployable: Path,
    openvino_folder: Path,
    tmp_path: Path,
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    lines = [refused(2, "evaluate", openvino_folder, "--data", DATA, "--runtime", "openvino")]
    export = ("export", deployable, "--format", "openvino", "--size", "30x61", "--out", tmp_path / "network")
    lines.append(refused(2, *export))
    assert all("openvino is not installed; pip install 'disparsity[openvino]'" in line for line in lines)


def test_folders_of_others_are_refused_before_any_work(
    refused: Callable[..., str], deployable: Path, tmp_path: Path
) -> None:
    pytest.importorskip("openvino")
    (tmp_path / "photo.png").write_text("mine")
    export = ("export", deployable, "--format", "openvino", "--size", "30x61")
    assert "holds something else" in refused(2, *export, "--out", tmp_path)
    assert "is a file" in refused(2, *export, "--out", tmp_path / "photo.png")


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
