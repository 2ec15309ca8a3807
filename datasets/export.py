"""Export of a data set to disk in a layout that other tools read: FlyingThings3D or KITTI 2015.

Images become 8-bit PNG. FlyingThings3D keeps disparity as float32, infinite where unknown; KITTI rounds it to
1/256 pixel. The folder appears whole or not at all. Scenes are rendered on as many processor cores as
asked for, and not on a GPU: their bits come from NumPy and OpenCV, and a GPU would round them differently.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from disparsity.base.atomic_folder import write_folder
from disparsity.base.errors import InputError
from disparsity.base.progress import progress
from disparsity.datasets.decoders.images import write_kitti_disparity, write_rgb
from disparsity.datasets.decoders.pfm import write_pfm
from disparsity.datasets.sample import Sample, StereoDataset, check_ground_truth

_FRAME = "0006"


def export_sceneflow(dataset: StereoDataset, root: Path, subset: str = "TRAIN", *, workers: int = 0) -> None:
    """Write `root/frames_cleanpass/<subset>/A/NNNN/{left,right}/0006.png` and `root/disparity/.../left/0006.pfm`.

    Raises:
        InputError: `subset` is neither TRAIN nor TEST, or `root` exists and is not an empty folder.
        DataError: a sample cannot be read.

    """
    if subset not in ("TRAIN", "TEST"):
        raise InputError("unknown subset", found=subset, expected="TRAIN or TEST")
    _export(dataset, root, partial(_write_sceneflow, subset=subset), workers)


def export_kitti2015(dataset: StereoDataset, root: Path, *, workers: int = 0) -> None:
    """Write `root/training/{image_2,image_3,disp_occ_0}/NNNNNN_10.png`.

    Raises:
        InputError: `root` exists and is not an empty folder.
        DataError: a sample cannot be read, or a disparity is 256 pixels or more.

    """
    _export(dataset, root, _write_kitti2015, workers)


def _export(dataset: StereoDataset, root: Path, write: Callable[[Path, int, Sample], None], workers: int) -> None:
    """Fill a temporary folder beside `root`, then put it in place."""
    check_ground_truth(dataset, dataset.name)
    if root.exists() and not (root.is_dir() and not any(root.iterdir())):
        raise InputError("the output exists already", where=root, expected="a new or empty folder")

    def fill(temporary: Path) -> None:
        job = _Job(dataset, temporary, write)
        for _ in progress(_done(job, workers), f"write {dataset.name}", total=len(dataset)):
            pass

    write_folder(root, (), fill)


class _Job(NamedTuple):
    """Job of a worker process: the data set, the folder and the function that writes one sample."""

    dataset: StereoDataset
    root: Path
    write: Callable[[Path, int, Sample], None]

    def run(self, index: int) -> None:
        self.write(self.root, index, self.dataset[index])


_inherited: list[_Job] = []


def _done(job: _Job, workers: int) -> Iterator[None]:
    """Write every sample, in turn or by worker processes; the files are the same."""
    if not workers:
        yield from map(job.run, range(len(job.dataset)))
        return
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, context, initializer=_inherited.append, initargs=(job,)) as pool:
        yield from pool.map(_run_inherited, range(len(job.dataset)))


def _run_inherited(index: int) -> None:
    _inherited[0].run(index)


def _write_sceneflow(root: Path, index: int, sample: Sample, subset: str) -> None:
    scene = f"{subset}/A/{index:04d}"
    for side, view in (("left", sample.left), ("right", sample.right)):
        write_rgb(root / "frames_cleanpass" / scene / side / f"{_FRAME}.png", _to_image(view))
    disparity = np.where(sample.valid.numpy(), sample.disparity.numpy(), np.float32(np.inf))
    write_pfm(root / "disparity" / scene / "left" / f"{_FRAME}.pfm", disparity)


def _write_kitti2015(root: Path, index: int, sample: Sample) -> None:
    name = f"{index:06d}_10.png"
    write_rgb(root / "training" / "image_2" / name, _to_image(sample.left))
    write_rgb(root / "training" / "image_3" / name, _to_image(sample.right))
    truth = root / "training" / "disp_occ_0" / name
    write_kitti_disparity(truth, sample.disparity.numpy(), sample.valid.numpy())


def _to_image(view: Tensor) -> NDArray[np.uint8]:
    """``[3, H, W]`` float32 in 0..1 to ``[H, W, 3]`` uint8."""
    return view.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
