"""Calibrations as Middlebury and KITTI ship them, and broken ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.calibration import read_calib_txt

GOOD = """cam0=[3979.911 0 1244.772; 0 3979.911 1019.507; 0 0 1]
cam1=[3979.911 0 1369.115; 0 3979.911 1019.507; 0 0 1]
doffs=124.343
baseline=193.001
width=2964
height=1988
ndisp=270
"""


def test_the_published_form_is_read(tmp_path: Path) -> None:
    path = tmp_path / "calib.txt"
    path.write_text(GOOD)
    calibration = read_calib_txt(path)
    assert calibration.focal_px == 3979.911
    assert calibration.centre_px == (1244.772, 1019.507)
    assert calibration.offset_px == pytest.approx(1369.115 - 1244.772)
    assert calibration.baseline_mm == 193.001


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cam0=[3979.911 0", "cam0=[x 0", "not a calibration"),
        ("doffs=124.343", "", "doffs is not a number"),
        ("baseline=193.001", "baseline=1e999", "baseline is not a number"),
        ("baseline=193.001", "baseline=-1", "not a rectified pair"),
        ("0 3979.911 1019.507; 0 0 1]\ncam1", "0 4000 1019.507; 0 0 1]\ncam1", "not a rectified pair"),
        ("[3979.911 0", "[3979.911001 0", "found f 3979.911001 and 3979.911, baseline"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "calib.txt"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        read_calib_txt(path)


P2 = "7.215377e+02 0.000000e+00 6.095593e+02 4.485728e+01 0 7.215377e+02 1.728540e+02 2.163791e-01 0 0 1 2.745884e-03"
P3 = "7.215377e+02 0.000000e+00 6.095593e+02 -3.395242e+02 0 7.215377e+02 1.728540e+02 2.199936e+00 0 0 1 2.729905e-03"


@pytest.mark.parametrize("keys", [("P_rect_02", "P_rect_03"), ("P2", "P3"), ("P0", "P1")])
def test_kitti_gives_the_depth_of_a_point_that_its_projections_see(tmp_path: Path, keys: tuple[str, str]) -> None:
    path = tmp_path / "000000.txt"
    path.write_text(f"calib_time: 09-Jan-2012 13:57:47\n{keys[0]}: {P2}\n{keys[1]}: {P3}\n")
    calibration = read_calib_txt(path)
    point = np.array([2.0, -1.0, 15.0, 1.0])
    seen = [np.array(text.split(), float).reshape(3, 4) @ point for text in (P2, P3)]
    disparity = seen[0][0] / seen[0][2] - seen[1][0] / seen[1][2]
    depth_mm = calibration.baseline_mm * calibration.focal_px / (disparity + calibration.offset_px)
    assert depth_mm == pytest.approx(15_000, rel=1e-3)
    assert calibration.baseline_mm == pytest.approx(532.7, abs=0.1)  # as the devkit's readme rounds it: 0.54 m
    assert calibration.centre_px == (609.5593, 172.854)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (P3, P3.rpartition(" ")[0], "P3 is not a projection; .* expected 12 numbers"),
        (P3, P3.replace("7.2", "x"), "P3 is not a projection"),
        (P3, P3.replace("7.215377e+02", "7.3e+02"), "not a rectified pair; found f 721.538"),
        (P3, P2, "not a rectified pair; found baseline 0 mm"),
        (f"P3: {P3}", "", "not a calibration"),
    ],
)
def test_what_is_wrong_with_kittis_is_said(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "000000.txt"
    path.write_text(f"P2: {P2}\nP3: {P3}\n".replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        read_calib_txt(path)
