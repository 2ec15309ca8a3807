"""Row 13: packed data that is cut, half written or stale is never used; the remedy is to pack again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from disparsity.cli import main
from disparsity.datasets.decoders.images import write_rgb


@pytest.fixture
def packed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    pairs, file = tmp_path / "pairs", tmp_path / "data.h5"
    uri = "synthetic:?pairs=2&size=64x128&max_disparity=16"
    assert main(["data", "synthesize", uri, "--out", str(pairs), "--layout", "kitti2015"]) == 0
    assert main(["data", "pack", f"kitti2015:{pairs}", "--out", str(file)]) == 0
    capsys.readouterr()
    return file


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.999])
def test_cut(packed: Path, one_line: Callable[..., str], checkpoint: Path, share: float) -> None:
    content = packed.read_bytes()
    packed.write_bytes(content[: int(len(content) * share)])
    line = one_line(3, "evaluate", checkpoint, "--data", f"packed:{packed}")
    assert f"{packed}: damaged, or no packed data; found " in line
    assert line.endswith("pack it again\n")


def test_stale(packed: Path, one_line: Callable[..., str], checkpoint: Path) -> None:
    changed = packed.parent / "pairs/training/image_2/000001_10.png"
    write_rgb(changed, np.zeros((64, 128, 3), np.uint8))
    line = one_line(2, "evaluate", checkpoint, "--data", f"packed:{packed}")
    assert f"the sources have changed since it was packed; found a difference at {changed}" in line


def test_packing_again_after_a_kill_needs_no_help(packed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    half = packed.with_name(f".{packed.name}.another-machine.77.disparsity.tmp")
    half.write_bytes(packed.read_bytes()[:1_000])
    assert main(["data", "pack", f"kitti2015:{packed.parent / 'pairs'}", "--out", str(packed)]) == 0
    assert main(["data", "verify", f"packed:{packed}"]) == 0
    assert "2 samples, 0 faults" in capsys.readouterr().out
