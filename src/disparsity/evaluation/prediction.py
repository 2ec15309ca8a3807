"""One pair of views to disparity: image files to files, arrays to an array."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from disparsity.base.errors import DataError
from disparsity.datasets.decoders.calibration import read_calib_txt
from disparsity.datasets.decoders.pfm import write_pfm
from disparsity.datasets.decoders.png import KITTI_SCALE, read_rgb, write_kitti_disparity, write_rgb
from disparsity.datasets.ply import point_cloud, write_ply
from disparsity.evaluation.runtimes import open_in_runtime
from disparsity.stereo.drawing import colour_disparity

_PNG_LIMIT_PX = 65535 / KITTI_SCALE


def predict(
    left: NDArray[Any], right: NDArray[Any], checkpoint: str = "builtin:reference", network: str | None = None
) -> NDArray[np.float32]:
    """The disparity of two views, in pixels of the left one.

    Args:
        left: ``[H, W, 3]`` RGB, uint8 or float in 0..1.
        right: the same shape.
        checkpoint: ours, a published file, or `builtin:NAME`.
        network: name of the network of a published file.

    Returns:
        ``[H, W]`` float32, never negative.

    Raises:
        DataError: the arrays are no views of one size.
        InputError: the checkpoint cannot be used.

    """
    views = [_view(array, side) for array, side in ((left, "left"), (right, "right"))]
    _check_sizes(views, "left", "right")
    return np.maximum(open_in_runtime(checkpoint, network, "torch").estimate(*views), 0.0)


def predict_files(
    checkpoint: str,
    network_name: str | None,
    left: Path,
    right: Path,
    out: Path,
    *,
    runtime: str = "torch",
    device: str = "auto",
    calib: Path | None = None,
) -> list[Path]:
    """Write `disparity.pfm`, `disparity.png` (16 bit, x256) and `disparity_color.png` into `out`.

    A disparity that 16 bits cannot hold is 0, unknown, in `disparity.png`; `disparity.pfm` has it. `runtime` is a key
    of `RUNTIMES`, `device` as in `choose_device`. With `calib`, a Middlebury calib.txt, the points go to `points.ply`.

    Raises:
        DataError: an image is missing or damaged, or the two differ in size.
        InputError: the checkpoint cannot be used in this runtime.

    """
    calibration = read_calib_txt(calib) if calib is not None else None
    views = [_read(left), _read(right)]
    _check_sizes(views, left, right)
    network = open_in_runtime(checkpoint, network_name, runtime, device)
    disparity = np.maximum(network.estimate(*views), 0.0)
    known = np.isfinite(disparity) & (disparity > 0)
    highest = float(disparity.max(initial=0.0, where=known))
    paths = [out / "disparity.pfm", out / "disparity.png", out / "disparity_color.png"]
    write_pfm(paths[0], disparity)
    write_kitti_disparity(paths[1], disparity, known & (disparity < _PNG_LIMIT_PX))
    write_rgb(paths[2], colour_disparity(disparity, highest or 1.0))
    if calibration is not None:
        paths.append(out / "points.ply")
        write_ply(paths[-1], *point_cloud(disparity, read_rgb(left), calibration))
    return paths


def _check_sizes(views: Sequence[Tensor], left: str | Path, right: str | Path) -> None:
    if views[0].shape != views[1].shape:
        sizes = [f"{view.shape[1]}x{view.shape[2]}" for view in views]
        raise DataError(
            "the two views differ in size", where=right, found=sizes[1], expected=f"{sizes[0]} as in {left}"
        )


def _read(path: Path) -> Tensor:
    return _view(read_rgb(path), str(path))


def _view(array: NDArray[Any], where: str) -> Tensor:
    """``[3, H, W]`` float32 in 0..1."""
    if array.ndim != 3 or array.shape[2] != 3 or not (array.dtype == np.uint8 or array.dtype.kind == "f"):
        found = f"{array.dtype} of shape {array.shape}"
        raise DataError("not a view", where=where, found=found, expected="[H, W, 3] RGB, uint8 or float in 0..1")
    # torch refuses to share memory that it may not write to, such as an opened image's
    values = torch.from_numpy(np.require(array, requirements=["C", "W"])).permute(2, 0, 1).float()
    return values / 255.0 if array.dtype == np.uint8 else values
