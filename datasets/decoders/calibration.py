"""Middlebury's calib.txt: what turns disparity into depth.

Source: the data description of the Middlebury Stereo Evaluation, version 3 (Scharstein et al.): ``cam0=[f 0 cx; 0 f cy;
0 0 1]``, ``doffs`` (the difference of the principal points' columns) and ``baseline`` in mm; depth Z in mm is
``baseline * f / (d + doffs)``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.limits import read_file

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CAMERA = re.compile(rf"\[\s*({_NUMBER})\s+0\s+({_NUMBER})\s*;\s*0\s+({_NUMBER})\s+({_NUMBER})\s*;\s*0\s+0\s+1\s*\]")


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A rectified camera pair.

    Attributes:
        focal_px: focal length.
        centre_px: principal point of the left view, column and row.
        offset_px: right principal point's column minus the left one's (`doffs`), added to every disparity.
        baseline_mm: distance of the cameras.

    """

    focal_px: float
    centre_px: tuple[float, float]
    offset_px: float
    baseline_mm: float


def read_calib_txt(path: Path) -> Calibration:
    """Read a calib.txt.

    Raises:
        DataError: a line is missing or is not what the format says.

    """
    lines = read_file(path).decode("utf-8", errors="replace").splitlines()
    values = {key.strip(): text for key, equals, text in (line.partition("=") for line in lines) if equals}
    camera = _CAMERA.fullmatch(values.get("cam0", "").strip())
    if camera is None:
        raise DataError(
            "not a calib.txt", where=path, found=values.get("cam0"), expected="cam0=[f 0 cx; 0 f cy; 0 0 1]"
        )
    focal, column, focal_again, row = map(float, camera.groups())
    offset, baseline = (_number(path, values, key) for key in ("doffs", "baseline"))
    if focal <= 0 or focal != focal_again or baseline <= 0:
        found = f"f {focal:g} and {focal_again:g}, baseline {baseline:g}"
        raise DataError("not a rectified pair", where=path, found=found, expected="one focal length, both positive")
    return Calibration(focal_px=focal, centre_px=(column, row), offset_px=offset, baseline_mm=baseline)


def _number(path: Path, values: dict[str, str], key: str) -> float:
    text = values.get(key, "").strip()
    if not re.fullmatch(_NUMBER, text) or not math.isfinite(float(text)):
        raise DataError(f"{key} is not a number", where=path, found=text or None, expected=f"{key}=NUMBER")
    return float(text)
