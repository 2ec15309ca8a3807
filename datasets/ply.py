"""Coloured point clouds as PLY, binary and little endian, as viewers and Open3D read them.

Source: Greg Turk's description of the format (Stanford, 1994).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disparsity.base.atomic_io import write_bytes
from disparsity.datasets.decoders.calibration import Calibration

_VERTEX = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3)])


def point_cloud(
    disparity: NDArray[np.floating], colours: NDArray[np.uint8], calibration: Calibration
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Points in mm in the left camera's frame (x right, y down, z forward), and their colours.

    Args:
        disparity: ``[H, W]`` in pixels; pixels that are not finite, or without a positive depth, give no point.
        colours: ``[H, W, 3]`` RGB.
        calibration: of the pair at this size.

    Returns:
        ``[N, 3]`` float32 and ``[N, 3]`` uint8, row by row.

    """
    shifted = disparity.astype(np.float64) + calibration.offset_px
    seen = np.isfinite(shifted) & (disparity > 0) & (shifted > 0)
    rows, columns = np.nonzero(seen)
    depth = calibration.baseline_mm * calibration.focal_px / shifted[seen]
    x = (columns - calibration.centre_px[0]) * depth / calibration.focal_px
    y = (rows - calibration.centre_px[1]) * depth / calibration.focal_px
    return np.stack([x, y, depth], axis=1).astype(np.float32), colours[seen]


def write_ply(path: Path, points: NDArray[np.float32], colours: NDArray[np.uint8]) -> None:
    """Write ``[N, 3]`` points and their ``[N, 3]`` RGB colours, atomically."""
    vertices = np.empty(len(points), _VERTEX)
    vertices["xyz"], vertices["rgb"] = points, colours
    properties = [f"property float {axis}" for axis in "xyz"]
    properties += [f"property uchar {colour}" for colour in ("red", "green", "blue")]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(points)}", *properties, "end_header", ""]
    write_bytes(path, "\n".join(header).encode("ascii") + vertices.tobytes())
