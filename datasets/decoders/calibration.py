"""Calibration files of Middlebury and KITTI: what turns disparity into depth.

Sources: the data description of the Middlebury Stereo Evaluation, version 3 (Scharstein et al.):
``cam0=[f 0 cx; 0 f cy; 0 0 1]``, ``doffs`` (the difference of the principal points' columns) and ``baseline`` in mm;
depth Z in mm is ``baseline * f / (d + doffs)``. KITTI's devkits: ``P_rect_02`` and ``P_rect_03`` of calib_cam_to_cam
(2015), ``P2`` and ``P3`` of calib (2012), or ``P0`` and ``P1`` where only the gray cameras are there: projections
``[f 0 cx -f b; 0 f cy 0; 0 0 1 0]`` of the left and the right camera, b metres from the reference camera.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from disparsity.base.errors import DataError, exact
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


_KITTI_CAMERAS = (("P_rect_02", "P_rect_03"), ("P2", "P3"), ("P0", "P1"))
_PROJECTION = 12


def read_calib_txt(path: Path) -> Calibration:
    """Read Middlebury's calib.txt, or a calibration file of KITTI 2012 or 2015.

    Raises:
        DataError: a line is missing or is not what the format says.

    """
    lines = read_file(path).decode("utf-8", errors="replace").splitlines()
    kitti = {key.strip(): text for key, colon, text in (line.partition(":") for line in lines) if colon}
    for left, right in _KITTI_CAMERAS:
        if left in kitti and right in kitti:
            return _from_projections(path, *(_projection(path, key, kitti[key]) for key in (left, right)))
    values = {key.strip(): text for key, equals, text in (line.partition("=") for line in lines) if equals}
    camera = _CAMERA.fullmatch(values.get("cam0", "").strip())
    if camera is None:
        raise DataError(
            "not a calibration",
            where=path,
            found=values.get("cam0"),
            expected="cam0=[f 0 cx; 0 f cy; 0 0 1], or KITTI's P_rect_02 and P_rect_03",
        )
    focal, column, focal_again, row = map(float, camera.groups())
    offset, baseline = (_number(path, values, key) for key in ("doffs", "baseline"))
    if focal <= 0 or focal != focal_again or baseline <= 0:
        found = f"f {exact(focal)} and {exact(focal_again)}, baseline {exact(baseline)}"
        raise DataError("not a rectified pair", where=path, found=found, expected="one focal length, both positive")
    return Calibration(focal_px=focal, centre_px=(column, row), offset_px=offset, baseline_mm=baseline)


def _projection(path: Path, key: str, text: str) -> list[float]:
    """The 3x4 projection matrix of a camera, row by row."""
    words = text.split()
    if len(words) != _PROJECTION or not all(re.fullmatch(_NUMBER, word) for word in words):
        raise DataError(f"{key} is not a projection", where=path, found=ascii(text.strip()[:80]), expected="12 numbers")
    return [float(word) for word in words]


def _from_projections(path: Path, left: list[float], right: list[float]) -> Calibration:
    """From ``[f 0 cx fx_x; 0 f cy .; 0 0 1 .]`` of both cameras; KITTI's lengths are in metres."""
    focal = left[0]
    if not (0 < focal == left[5] == right[0] == right[5] < math.inf):
        found = f"f {focal:g}, {left[5]:g}, {right[0]:g}, {right[5]:g}"
        raise DataError("not a rectified pair", where=path, found=found, expected="one focal length, positive")
    baseline_mm = 1000 * (left[3] - right[3]) / focal
    if not 0 < baseline_mm < math.inf:
        found = f"baseline {baseline_mm:g} mm"
        raise DataError("not a rectified pair", where=path, found=found, expected="the right camera on the right")
    return Calibration(
        focal_px=focal, centre_px=(left[2], left[6]), offset_px=right[2] - left[2], baseline_mm=baseline_mm
    )


def _number(path: Path, values: dict[str, str], key: str) -> float:
    text = values.get(key, "").strip()
    if not re.fullmatch(_NUMBER, text) or not math.isfinite(float(text)):
        raise DataError(f"{key} is not a number", where=path, found=text or None, expected=f"{key}=NUMBER")
    return float(text)
