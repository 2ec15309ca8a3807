"""`data synthesize`: both layouts, read back with the disparities that were drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

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
