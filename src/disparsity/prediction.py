"""One pair of image files to disparity files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from disparsity.datasets.pfm import write_pfm
from disparsity.datasets.png import KITTI_SCALE, read_rgb, write_kitti_disparity, write_rgb
from disparsity.errors import DataError
from disparsity.runtimes import open_in_runtime
from disparsity.stereo.drawing import colour_disparity

_PNG_LIMIT_PX = 65535 / KITTI_SCALE


def predict_files(
    checkpoint: str, network_name: str | None, left: Path, right: Path, out: Path, *, runtime: str = "torch"
) -> list[Path]:
    """Write `disparity.pfm`, `disparity.png` (16 bit, x256) and `disparity_color.png` into `out`.

    A disparity that 16 bits cannot hold is 0, unknown, in `disparity.png`; `disparity.pfm` has it. `runtime` is a key
    of `RUNTIMES`.

    Raises:
        DataError: an image is missing or damaged, or the two differ in size.
        InputError: the checkpoint cannot be used in this runtime.

    """
    views = _read(left), _read(right)
    if views[0].shape != views[1].shape:
        sizes = [f"{view.shape[1]}x{view.shape[2]}" for view in views]
        raise DataError(
            "the two views differ in size", where=right, found=sizes[1], expected=f"{sizes[0]} as in {left}"
        )
    network = open_in_runtime(checkpoint, network_name, runtime)
    disparity = np.maximum(network.estimate(*views), 0.0)
    known = np.isfinite(disparity) & (disparity > 0)
    highest = float(disparity.max(initial=0.0, where=known))
    paths = [out / "disparity.pfm", out / "disparity.png", out / "disparity_color.png"]
    write_pfm(paths[0], disparity)
    write_kitti_disparity(paths[1], disparity, known & (disparity < _PNG_LIMIT_PX))
    write_rgb(paths[2], colour_disparity(disparity, highest or 1.0))
    return paths


def _read(path: Path) -> Tensor:
    return torch.from_numpy(read_rgb(path)).permute(2, 0, 1).float() / 255.0
