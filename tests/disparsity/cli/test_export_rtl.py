"""`export --format rtl`: a folder that checks itself, and what is refused before anything is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity.export.rtl.selfcheck import main as selfcheck


def test_a_folder_that_checks_itself(
    run_main: Callable[..., str], deployable: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, uri = tmp_path / "deep" / "rtl", "synthetic:?pairs=1&size=16x40&seed=2&max_disparity=16"
    printed = run_main("export", deployable, "--format", "rtl", "--size", "16x32", "--out", out, "--data", uri)
    written = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    assert printed == f"{out} {written} bytes\n"
    assert [path.name for path in out.parent.iterdir()] == ["rtl"]
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["input_size"], manifest["pair"]["data"]) == ([16, 32], uri)
    assert selfcheck([str(out)]) == 0
    assert capsys.readouterr().out.endswith("all layers match\n")


def test_what_cannot_be_exported(
    refused: Callable[..., str], deployable: Path, checkpoint: Path, tmp_path: Path
) -> None:
    export = ("export", deployable, "--out", tmp_path / "out")
    assert "--size" in refused(2, *export, "--format", "rtl")
    data = ("--data", "synthetic:?pairs=1&size=16x32")
    assert "only the format rtl runs a pair; found --data with packed" in refused(
        2, *export, "--format", "packed", *data
    )
    rtl = ("--format", "rtl", "--size", "32x64")
    assert "smaller than --size; found 16x32" in refused(2, *export, *rtl, *data)
    assert "impossible synthetic scenes" in refused(2, *export, "--format", "rtl", "--size", "8x64")
    assert "the network is not quantized" in refused(2, "export", checkpoint, *rtl, "--out", tmp_path / "out")
    (tmp_path / "mine.txt").write_text("mine")
    assert "holds something else; found mine.txt" in refused(2, "export", deployable, *rtl, "--out", tmp_path)
    assert "is a file" in refused(2, "export", deployable, *rtl, "--out", tmp_path / "mine.txt")
