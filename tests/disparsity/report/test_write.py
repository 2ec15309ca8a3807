"""A report's folder: what is in it, that it repeats byte for byte, and that a bad report changes nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from disparsity.base.errors import CorruptArtefactError
from disparsity.evaluation.panels import Panel
from disparsity.report import write
from disparsity.report.report import Report
from disparsity.report.schema import parse_report
from disparsity.report.write import write_report

History = list[dict[str, Any]]


@pytest.mark.slow
def test_the_folder_holds_everything_and_a_second_write_is_identical(
    tmp_path: Path, report: Report, panels: list[Panel], history: History
) -> None:
    written = write_report(tmp_path / "a", report, panels, history)
    names = [str(path.relative_to(tmp_path / "a")) for path in written]
    assert names[:2] == ["report.json", "layers.csv"]
    assert names[-2:] == ["report.md", "report.html"]
    assert {"figures/roofline.svg", "figures/cycles_and_utilization.svg"} <= set(names)
    assert {"figures/training_curves.svg", "figures/memory_by_format.png"} <= set(names)
    assert {"panels/00-TEST-A-0000-0006.png", "panels/01-kitti-b-1-b.png"} <= set(names)
    found = sorted(path for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert found == sorted(written)
    for path in write_report(tmp_path / "b", report, panels, history):
        assert path.read_bytes() == (tmp_path / "a" / path.relative_to(tmp_path / "b")).read_bytes(), path.name
    assert parse_report((tmp_path / "a" / "report.json").read_bytes()) == report


def test_a_wrong_report_is_refused_before_anything_is_written(tmp_path: Path, report: Report) -> None:
    wrong = replace(report, memory=replace(report.memory, entropy_bound_bytes=math.nan))
    with pytest.raises(CorruptArtefactError):
        write_report(tmp_path / "new", wrong, [], [])
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_pairs_beyond_the_budget_stay_in_the_folder(
    tmp_path: Path, report: Report, panels: list[Panel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "PAGE_PICTURE_BYTES", 0)
    write_report(tmp_path, report, panels, [])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "2 more in the folder panels" in page
    assert len(list((tmp_path / "panels").glob("*.png"))) == len(list((tmp_path / "panels").glob("*.svg"))) == 2


@pytest.mark.slow
def test_a_real_pair_keeps_the_page_small(tmp_path: Path, report: Report, shared: Path) -> None:
    folder = shared / "data" / "kitti2015" / "training"
    left = cv2.imread(str(folder / "image_2" / "000000_10.png"))[..., ::-1].copy()
    truth = cv2.imread(str(folder / "disp_occ_0" / "000000_10.png"), cv2.IMREAD_UNCHANGED).astype(np.float32) / 256
    estimate = np.where(truth > 0, truth + 2.0, 20.0).astype(np.float32)
    panel = Panel(id="000000_10", left=left, ground_truth=truth, valid=truth > 0, dense=truth, compressed=estimate)
    write_report(tmp_path, report, [panel], [])
    assert (tmp_path / "report.html").stat().st_size < 6_000_000
