"""Disparity of one pair: from image files, arrays or tensors to an array, and to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.calibration import Calibration
from disparsity.datasets.decoders.images import KITTI_SCALE, read_rgb, write_kitti_disparity, write_rgb
from disparsity.datasets.decoders.pfm import write_pfm
from disparsity.datasets.ply import point_cloud, write_ply
from disparsity.evaluation.runtimes import Executable
from disparsity.stereo.drawing import colour_disparity

View = NDArray[Any] | Tensor | str | Path
"""One image: ``[H, W, 3]`` RGB as an array, ``[3, H, W]`` RGB as a tensor, or a file; uint8, or float in 0..1."""

_PNG_LIMIT_PX = 65535 / KITTI_SCALE


def views_of(left: View, right: View) -> tuple[Tensor, Tensor]:
    """Both views as ``[3, H, W]`` float32 in 0..1.

    Raises:
        DataError: one is no view or cannot be read, or the two differ in size.

    """
    names = [str(view) if isinstance(view, str | Path) else side for view, side in ((left, "left"), (right, "right"))]
    views = _view(left, names[0]), _view(right, names[1])
    if views[0].shape != views[1].shape:
        found, expected = (f"{view.shape[1]}x{view.shape[2]}" for view in reversed(views))
        raise DataError(
            "the two views differ in size", where=names[1], found=found, expected=f"{expected} as in {names[0]}"
        )
    return views


def predict_pair(network: Executable, left: Tensor, right: Tensor) -> NDArray[np.float32]:
    """The disparity ``[H, W]`` of two views ``[3, H, W]`` in pixels of the left one, never negative."""
    return np.maximum(network.estimate(left, right), 0.0)


def write_disparity(
    out: Path, disparity: NDArray[np.float32], left: Tensor, calibration: Calibration | None = None
) -> list[Path]:
    """Write `disparity.pfm`, `disparity.png` (16 bit, x256) and `disparity_color.png` into `out`.

    A disparity that 16 bits cannot hold is 0, unknown, in `disparity.png`; `disparity.pfm` has it. With a calibration
    the points in the colours of `left` go to `points.ply`.

    Returns:
        the paths of what was written.

    """
    known = np.isfinite(disparity) & (disparity > 0)
    highest = float(disparity.max(initial=0.0, where=known))
    paths = written_files(out, with_points=calibration is not None)
    write_pfm(paths[0], disparity)
    write_kitti_disparity(paths[1], disparity, known & (disparity < _PNG_LIMIT_PX))
    write_rgb(paths[2], colour_disparity(disparity, highest or 1.0))
    if calibration is not None:
        colours = (left.permute(1, 2, 0).numpy() * 255.0).round().astype(np.uint8)
        write_ply(paths[-1], *point_cloud(disparity, colours, calibration))
    return paths


def written_files(out: Path, *, with_points: bool) -> list[Path]:
    """What `write_disparity` writes into a folder."""
    names = ["disparity.pfm", "disparity.png", "disparity_color.png", *(["points.ply"] if with_points else [])]
    return [out / name for name in names]


def _view(view: View, where: str) -> Tensor:
    if isinstance(view, Tensor):
        return _checked(view.detach().cpu(), where)
    array = read_rgb(Path(view)) if isinstance(view, str | Path) else np.asarray(view)
    if array.ndim != 3 or array.shape[2] != 3:
        _refuse(array, where)
    # torch refuses to share memory that it may not write to, such as an opened image's
    return _checked(torch.from_numpy(np.require(array, requirements=["C", "W"])).permute(2, 0, 1), where)


def _checked(view: Tensor, where: str) -> Tensor:
    if view.dim() != 3 or view.shape[0] != 3 or not (view.dtype == torch.uint8 or view.is_floating_point()):
        _refuse(view, where)
    return view.float() / 255.0 if view.dtype == torch.uint8 else view.float()


def _refuse(view: NDArray[Any] | Tensor, where: str) -> None:
    raise DataError(
        "not a view",
        where=where,
        found=f"{view.dtype} of shape {tuple(view.shape)}",
        expected="an array [H, W, 3] or a tensor [3, H, W], RGB, uint8 or float in 0..1",
    )
