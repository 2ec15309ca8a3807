"""Missing, unequal and damaged data: one line, exit code 2, nothing changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

Refused = Callable[..., str]


@pytest.fixture
def pairs(kitti: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kitti, tmp_path / "kitti"))


@pytest.fixture
def recipe(write_recipe: Callable[..., Path], tmp_path: Path) -> Path:
    return write_recipe(tmp_path)


def every_reader(refused: Refused, checkpoint: Path, recipe: Path, uri: str) -> list[str]:
    """What every command that reads data says about `uri`."""
    out = recipe.parent / "out"
    return [
        refused(2, "evaluate", checkpoint, "--data", uri, "--json", out),
        refused(2, "data", "synthesize", uri, "--out", out),
        refused(2, "run", recipe, "--out", out, "--set", f'data.test=["{uri}"]', "--set", "report.pictures=0"),
        refused(2, "run", recipe, "--out", out, "--set", f'data.train=["{uri}"]'),
        refused(2, "prune", recipe, "--out", out, "--set", f'data.train=["{uri}"]'),
    ]


@pytest.mark.parametrize("kind", ["kitti2015", "kitti2012", "sceneflow", "middlebury", "eth3d"])
def test_a_missing_folder(refused: Refused, checkpoint: Path, recipe: Path, tmp_path: Path, kind: str) -> None:
    for line in every_reader(refused, checkpoint, recipe, f"{kind}:{tmp_path}/nowhere"):
        assert f"{tmp_path}/nowhere: no such folder" in line


def test_a_folder_of_another_layout(refused: Refused, checkpoint: Path, recipe: Path, pairs: Path) -> None:
    for line in every_reader(refused, checkpoint, recipe, f"sceneflow:{pairs}"):
        assert str(pairs) in line


def test_an_unknown_kind_names_the_nearest(refused: Refused, checkpoint: Path, recipe: Path, pairs: Path) -> None:
    for line in every_reader(refused, checkpoint, recipe, f"kiti2015:{pairs}"):
        assert "did you mean 'kitti2015'?" in line


def test_an_unknown_option_names_the_nearest(refused: Refused, checkpoint: Path) -> None:
    assert "did you mean 'pairs'?" in refused(2, "evaluate", checkpoint, "--data", "synthetic:?pair=2")


@pytest.mark.parametrize("part", ["image_2", "image_3", "disp_occ_0"])
def test_a_truncated_png(refused: Refused, checkpoint: Path, recipe: Path, pairs: Path, part: str) -> None:
    damage(pairs / "training" / part)
    for line in every_reader(refused, checkpoint, recipe, f"kitti2015:{pairs}"):
        assert f"/{part}/00000" in line


def test_a_truncated_pfm(refused: Refused, checkpoint: Path, recipe: Path, sceneflow: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sceneflow, tmp_path / "sceneflow"))
    damage(folder / "disparity")
    for line in every_reader(refused, checkpoint, recipe, f"sceneflow:{folder}?subset=train&pass=clean"):
        assert ".pfm" in line


def test_an_unequal_pair(refused: Refused, checkpoint: Path, recipe: Path, pairs: Path) -> None:
    for path in (pairs / "training" / "image_3").iterdir():
        cv2.imwrite(str(path), np.zeros((32, 60, 3), np.uint8))
    for line in every_reader(refused, checkpoint, recipe, f"kitti2015:{pairs}"):
        assert "60" in line
        assert "64" in line


def test_predict_refuses_an_unequal_pair(refused: Refused, checkpoint: Path, pairs: Path, tmp_path: Path) -> None:
    left, right = pairs / "training" / "image_2" / "000000_10.png", tmp_path / "right.png"
    cv2.imwrite(str(right), np.zeros((32, 60, 3), np.uint8))
    line = refused(2, "predict", checkpoint, left, right, "--out", tmp_path / "out")
    assert "right.png: the two views differ in size; found 32x60; expected 32x64" in line


def test_predict_refuses_missing_and_damaged_images(
    refused: Refused, checkpoint: Path, pairs: Path, tmp_path: Path
) -> None:
    left, right = (pairs / "training" / side / "000000_10.png" for side in ("image_2", "image_3"))
    assert "nowhere.png" in refused(2, "predict", checkpoint, "nowhere.png", right, "--out", tmp_path / "out")
    assert "nowhere.png" in refused(2, "predict", checkpoint, left, "nowhere.png", "--out", tmp_path / "out")
    damage(right.parent)
    assert str(right) in refused(2, "predict", checkpoint, left, right, "--out", tmp_path / "out")
    text = tmp_path / "text.png"
    text.write_text("not an image")
    assert "text.png: not an image" in refused(2, "predict", checkpoint, left, text, "--out", tmp_path / "out")


def test_a_split_that_does_not_fit(refused: Refused, checkpoint: Path, pairs: Path, tmp_path: Path) -> None:
    split = tmp_path / "split.txt"
    for content, message in (("000000\n000007\n", "000007"), ("# nothing\n", "names no sample"), ("../x\n", "../x")):
        split.write_text(content)
        line = refused(2, "evaluate", checkpoint, "--data", f"kitti2015:{pairs}", "--split", split)
        assert "split.txt" in line
        assert message in line
    missing = tmp_path / "nowhere.txt"
    assert str(missing) in refused(2, "evaluate", checkpoint, "--data", f"kitti2015:{pairs}", "--split", missing)


def damage(folder: Path) -> None:
    """Cut every file in half."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
