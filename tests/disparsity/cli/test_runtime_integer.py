"""`--runtime integer`: a quantized checkpoint with integers, close to the fake-quantized one; others are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from disparsity.datasets.decoders.pfm import read_pfm

DATA = "synthetic:?pairs=3&size=32x64&seed=4&max_disparity=16"


def test_the_same_error_as_fake_quantized(run_main: Callable[..., str], deployable: Path, tmp_path: Path) -> None:
    rows = {}
    for runtime in ("torch", "integer"):
        path = tmp_path / f"{runtime}.json"
        run_main("evaluate", deployable, "--data", DATA, "--runtime", runtime, "--json", path)
        rows[runtime] = json.loads(path.read_text())
    assert rows["integer"]["pixels"] == rows["torch"]["pixels"] > 1000
    assert rows["integer"]["epe_px"] == pytest.approx(rows["torch"]["epe_px"], rel=0.01)
    assert rows["integer"]["epe_px"] != rows["torch"]["epe_px"]
    assert (rows["integer"]["runtime"], rows["integer"]["stage"]) == ("integer", "quantized")
    assert rows["integer"]["float_layers"] == []
    assert "float_layers" not in rows["torch"]


def test_the_same_map_twice_and_close_to_fake_quantized(
    run_main: Callable[..., str], deployable: Path, kitti: Path, tmp_path: Path
) -> None:
    views = [kitti / "training" / folder / "000000_10.png" for folder in ("image_2", "image_3")]
    for out, runtime in (("torch", "torch"), ("first", "integer"), ("second", "integer")):
        run_main("predict", deployable, *views, "--out", tmp_path / out, "--runtime", runtime)
    first, second = ((tmp_path / out / "disparity.pfm").read_bytes() for out in ("first", "second"))
    assert first == second
    maps = [read_pfm(tmp_path / out / "disparity.pfm") for out in ("torch", "first")]
    assert np.abs(maps[0] - maps[1]).mean() < 0.05
    assert np.ptp(maps[0]) > 1


def test_only_quantized_checkpoints(
    refused: Callable[..., str], checkpoint: Path, finished: Path, tmp_path: Path
) -> None:
    evaluate = ("evaluate", "--data", DATA, "--runtime", "integer")
    assert f"{checkpoint}: the network has no integers; found a dense network; quantize" in refused(
        2, *evaluate, checkpoint
    )
    assert "found a pruned network" in refused(2, *evaluate, finished / "stages" / "01-prune")
    exported = tmp_path / "network.onnx"
    assert "the integer runtime cannot run this file; add --runtime onnxruntime" in refused(2, *evaluate, exported)
