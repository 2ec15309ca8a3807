"""`evaluate`: the figures of an independent loop, the same in print and in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from disparsity.checkpoint.restore import open_network
from disparsity.cli import main
from disparsity.datasets.uri import open_data
from disparsity.stereo.inference import predict

DATA = "synthetic:?pairs=3&size=32x64&seed=4&max_disparity=16"


def test_what_is_printed_is_what_json_holds(run_main: Callable[..., str], checkpoint: Path, tmp_path: Path) -> None:
    printed = run_main("evaluate", checkpoint, "--data", DATA, "--json", tmp_path / "deep" / "row.json")
    row = json.loads((tmp_path / "deep" / "row.json").read_text())
    lines = {line.split()[0]: line.split()[1:] for line in printed.splitlines()}
    assert lines["data"] == [DATA]
    assert lines["pixels"][:4] == [str(row["pixels"]), "in", str(row["images"]), "images"]
    names = {"EPE": "epe_px", "bad-1": "bad1_percent", "bad-2": "bad2_percent", "bad-3": "bad3_percent"}
    for label, name in (names | {"D1": "d1_percent", "density": "density_percent"}).items():
        pooled, unit, mean, same_unit = lines[label]
        assert (pooled, mean) == (f"{row[name]:.4f}", f"{row[f'per_image_{name}']:.4f}")
        assert unit == same_unit == ("px" if name == "epe_px" else "%")


def test_the_figures_are_those_of_a_plain_loop(run_main: Callable[..., str], checkpoint: Path, tmp_path: Path) -> None:
    run_main("evaluate", checkpoint, "--data", DATA, "--mask", "9", "--json", tmp_path / "row.json")
    row = json.loads((tmp_path / "row.json").read_text())
    network, errors, truths = open_network(str(checkpoint), None), [], []
    for sample in open_data(DATA):
        truth = sample.disparity.numpy()
        kept = sample.valid.numpy() & (truth > 0) & (truth < 9)
        errors.append(np.abs(predict(network, sample.left, sample.right) - truth)[kept])
        truths.append(truth[kept])
    error, truth = np.concatenate(errors).astype(np.float64), np.concatenate(truths)
    assert row["pixels"] == error.size
    assert row["epe_px"] == pytest.approx(error.mean(), rel=1e-4)
    assert row["per_image_epe_px"] == pytest.approx(np.mean([part.mean() for part in errors]), rel=1e-4)
    assert row["bad2_percent"] == pytest.approx(100 * (error > 2).mean(), abs=0.05)
    assert row["d1_percent"] == pytest.approx(100 * ((error > 3) & (error > 0.05 * truth)).mean(), abs=0.05)
    assert row["mask"].endswith("< 9 px")


def test_every_known_pixel_counts_and_those_beyond_the_range_are_said(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uri, path = "synthetic:?pairs=1&size=32x64&max_disparity=40", tmp_path / "row.json"

    def evaluated(*mask: str) -> tuple[dict[str, Any], str]:
        assert main(["evaluate", str(checkpoint), "--data", uri, *mask, "--json", str(path)]) == 0
        return json.loads(path.read_text()), capsys.readouterr().err

    sample = open_data(uri)[0]
    known = sample.disparity[sample.valid]
    (row, error), (masked, silence) = evaluated(), evaluated("--mask", "16")
    beyond = int((known >= 16).sum())
    assert (row["pixels"], row["pixels_beyond_range"]) == (known.numel(), beyond)
    assert f"{beyond} of {known.numel()} scored pixels have 16 px or more" in error
    assert (masked["pixels"], masked["pixels_beyond_range"], silence) == (known.numel() - beyond, 0, "")


def test_a_split_selects(run_main: Callable[..., str], checkpoint: Path, kitti: Path, tmp_path: Path) -> None:
    (tmp_path / "split.txt").write_text("000001\n")
    printed = run_main("evaluate", checkpoint, "--data", f"kitti2015:{kitti}", "--split", tmp_path / "split.txt")
    assert "in 1 images" in printed


def test_a_packed_file_scores_as_its_checkpoint(
    run_main: Callable[..., str], finished: Path, quantized: Path, tmp_path: Path
) -> None:
    rows = []
    for source in (finished / "compressed.h5", quantized):
        run_main("evaluate", source, "--data", DATA, "--json", tmp_path / "row.json")
        rows.append(json.loads((tmp_path / "row.json").read_text()))
    assert rows[0] == rows[1]
    assert rows[0]["stage"] == "quantized"


@pytest.mark.parametrize("mask", ["-1", "nan", "inf"])
def test_an_impossible_mask(refused: Callable[..., str], checkpoint: Path, mask: str) -> None:
    assert "--mask: out of range" in refused(2, "evaluate", checkpoint, "--data", DATA, f"--mask={mask}")


def test_an_output_that_is_a_folder(refused: Callable[..., str], checkpoint: Path, tmp_path: Path) -> None:
    assert "the output is a folder" in refused(2, "evaluate", checkpoint, "--data", DATA, "--json", tmp_path)


def test_a_device_that_is_not_there_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for options, found in ((("--device", "cuda"), "cuda:0"), (("--device", "cuda", "--runtime", "integer"), "cuda")):
        assert main(["evaluate", str(checkpoint), "--data", DATA, *options]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1
        assert "--device" in lines[0]
        assert f"found {found};" in lines[0]
