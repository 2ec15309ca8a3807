"""calib.txt as Middlebury ships it, and broken ones."""

from __future__ import annotations

from pathlib import Path

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
        ("cam0=[3979.911 0", "cam0=[x 0", "not a calib.txt"),
        ("doffs=124.343", "", "doffs is not a number"),
        ("baseline=193.001", "baseline=1e999", "baseline is not a number"),
        ("baseline=193.001", "baseline=-1", "not a rectified pair"),
        ("0 3979.911 1019.507; 0 0 1]\ncam1", "0 4000 1019.507; 0 0 1]\ncam1", "not a rectified pair"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "calib.txt"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        read_calib_txt(path)
