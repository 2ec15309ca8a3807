"""`data synthesize`: both layouts, read back with the disparities that were drawn."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from disparsity.cli import main
from disparsity.datasets.uri import open_data

DATA = "synthetic:?pairs=2&size=32x64&seed=5&max_disparity=16"


@pytest.mark.parametrize(
    ("layout", "uri", "rounding_px"),
    [("kitti2015", "kitti2015:{}?ground_truth=occ", 1 / 256), ("sceneflow", "sceneflow:{}?subset=train&pass=clean", 0)],
)
def test_what_was_drawn_is_read_back(
    run_main: Callable[..., str], tmp_path: Path, layout: str, uri: str, rounding_px: float
) -> None:
    folder = tmp_path / "deep" / "scenes"
    assert run_main("data", "synthesize", DATA, "--out", folder, "--layout", layout) == f"{folder}\n"
    drawn, stored = open_data(DATA), open_data(uri.format(folder))
    assert len(stored) == len(drawn) == 2
    for first, second in zip(drawn, stored, strict=True):
        assert torch.equal(first.valid, second.valid)
        both = first.valid.numpy()
        np.testing.assert_allclose(second.disparity.numpy()[both], first.disparity.numpy()[both], atol=rounding_px)
        for view, again in ((first.left, second.left), (first.right, second.right)):
            assert float((view - again).abs().max()) <= 0.5 / 255 + 1e-6


def test_an_output_that_exists(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert "the output exists already" in refused(2, "data", "synthesize", DATA, "--out", tmp_path)
    assert "the output exists already" in refused(2, "data", "synthesize", DATA, "--out", tmp_path / "notes.txt")


def test_verify_lists_every_fault_as_text_and_json(
    run_main: Callable[..., str], kitti: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main("data", "verify", f"kitti2015:{kitti}") == "2 samples, 0 faults\n"
    folder, result = tmp_path / "broken", tmp_path / "faults.json"
    shutil.copytree(kitti, folder)
    for view in ("image_2", "image_3"):
        (folder / "training" / view / "000001_10.png").unlink()
    assert main(["data", "verify", f"kitti2015:{folder}", "--json", str(result)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["missing_file", "missing_file", "2 samples, 2 faults"]
    found = json.loads(result.read_text())
    assert (found["samples"], found["counts"]) == (2, {"missing_file": 2})
    assert [fault["id"] for fault in found["faults"]] == ["000001", "000001"]
    lists = []
    for name in ("train", "test"):
        (tmp_path / f"{name}.txt").write_text("1\n")
        lists += ["--split", str(tmp_path / f"{name}.txt")]
    assert main(["data", "verify", f"kitti2015:{kitti}", *lists]) == 2
    assert "the sample is in two lists" in capsys.readouterr().out


def test_pack_and_read_back(run_main: Callable[..., str], kitti: Path, tmp_path: Path) -> None:
    path = tmp_path / "packed.h5"
    out = run_main("data", "pack", f"kitti2015:{kitti}", "--out", path, "--json", tmp_path / "facts.json")
    assert out == f"{path}\n2 samples, {path.stat().st_size} bytes, disparity 2 as uint16\n"
    assert json.loads((tmp_path / "facts.json").read_text())["sizes"] == {"32x64": 2}
    assert run_main("data", "verify", f"packed:{path}") == "2 samples, 0 faults\n"
    for first, second in zip(open_data(f"kitti2015:{kitti}"), open_data(f"packed:{path}"), strict=True):
        assert torch.equal(first.left, second.left)


def test_options_of_another_action_and_missing_ones(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "--layout has no effect" in refused(
        2, "data", "pack", DATA, "--out", tmp_path / "x", "--layout", "kitti2015"
    )
    assert "--out is missing" in refused(2, "data", "pack", DATA)
    assert "--max-disparity" in refused(2, "data", "verify", DATA, "--max-disparity", "nan")
    assert "not 8-bit images" in refused(2, "data", "pack", DATA, "--out", tmp_path / "x.h5")
