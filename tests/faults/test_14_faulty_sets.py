"""Row 14: everything that is wrong with a data set at once, and no training on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from disparsity.cli import main
from disparsity.datasets.decoders.images import write_rgb


@pytest.fixture
def pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "pairs"
    uri = "synthetic:?pairs=4&size=64x128&max_disparity=16"
    assert main(["data", "synthesize", uri, "--out", str(folder), "--layout", "kitti2015"]) == 0
    (folder / "training/image_3/000001_10.png").unlink()
    write_rgb(folder / "training/image_3/000002_10.png", np.zeros((64, 100, 3), np.uint8))
    (folder / "training/disp_occ_0/000003_10.png").write_bytes(b"no picture")
    for name, ids in (("train", "000000\n000001\n"), ("test", "000000\n000009\n")):
        (tmp_path / f"{name}.txt").write_text(ids)
    capsys.readouterr()
    return folder


def test_all_faults_as_json(pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lists = [f"--split={tmp_path / name}.txt" for name in ("train", "test")]
    assert main(["data", "verify", f"kitti2015:{pairs}", *lists, "--json", str(tmp_path / "faults.json")]) == 2
    found = json.loads((tmp_path / "faults.json").read_text())
    assert found["counts"] == {"missing_file": 1, "undecodable": 1, "unequal_sizes": 1, "wrong_list": 1}
    assert "4 samples, 4 faults" in capsys.readouterr().out
    (tmp_path / "test.txt").write_text("000000\n")
    assert main(["data", "verify", f"kitti2015:{pairs}", *lists, "--json", str(tmp_path / "faults.json")]) == 2
    overlap = [
        fault for fault in json.loads((tmp_path / "faults.json").read_text())["faults"] if fault["id"] == "000000"
    ]
    assert [fault["kind"] for fault in overlap] == ["overlapping_lists"]


def test_training_refuses_before_a_folder_is_made(
    pairs: Path, tmp_path: Path, write_recipe: Callable[[Path], Path], one_line: Callable[..., str]
) -> None:
    change = f'data.train=["kitti2015:{pairs}"]'
    line = one_line(2, "run", write_recipe(tmp_path), "--out", tmp_path / "run", "--set", change)
    assert "image_3/000001_10.png: the file is missing" in line
    assert not (tmp_path / "run").exists()


def test_a_name_that_is_no_text(pairs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = Path(str(pairs / "training/disp_occ_0") + "/\udcff_10.png")
    odd.write_bytes(b"x")
    assert main(["data", "verify", f"kitti2015:{pairs}"]) == 2
    assert "\\udcff" in capsys.readouterr().out
