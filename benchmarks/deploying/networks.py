"""Networks that are deployed: dense and rounded after training, each with real pairs that it was not trained on."""

from __future__ import annotations

import functools
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from harness.networks import SPLITS, rounded
from numpy.typing import NDArray

from disparsity.base.atomic_io import write_text
from disparsity.checkpoint.restore import open_network
from disparsity.datasets.uri import open_data
from disparsity.evaluation.evaluation import evaluate_estimates
from disparsity.evaluation.runtimes import Estimate
from disparsity.stereo.network import StereoNetwork

SCENES = "synthetic:?pairs=8&seed=3&size=192x384&max_disparity=48"
CROP = (256, 512)
"""Of the pairs that calibrate."""
KITTI_SIZE = (375, 1242)
WIDTHS = {"reference": (4, 8), "stereonet": (8, 8), "anynet": (8, 8)}
CASES = [f"{name}, {kind}" for name, (w, a) in WIDTHS.items() for kind in ("dense", f"W{w} A{a}")]


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """One network on one real data set; `size` is that of the images."""

    network: StereoNetwork
    uri: str
    size: tuple[int, int]

    def evaluated(self, estimate: Estimate) -> tuple[float, tuple[NDArray[np.float32], ...]]:
        """The error in px, and all maps."""
        data, mask = open_data(self.uri), float(self.network.spec.max_disparity)
        found = evaluate_estimates(
            estimate, data, uri=self.uri, stage="", max_disparity=mask, mask_disparity=mask, keep=len(data)
        )
        return found.row["epe_px"], found.maps


@functools.cache
def deployed(name: str) -> Deployed:
    """A network of `CASES`."""
    preset, kind = name.split(", ")
    weights, calibration, uri, size = _plans(Path(os.environ["DISPARSITY_DATA"]))[preset]
    network = open_network(weights, preset)
    if kind != "dense":
        pairs = [(sample.left, sample.right) for sample in open_data(calibration)]
        crops = [tuple(view[None, :, : CROP[0], : CROP[1]] for view in pair) for pair in pairs]
        network = rounded(network, WIDTHS[preset], crops)
    return Deployed(network=network, uri=uri, size=size)


def _plans(shared: Path) -> dict[str, tuple[str, str, str, tuple[int, int]]]:
    """Weights, pairs that calibrate, pairs that are scored, and their size."""
    things = f"sceneflow:{shared / 'data/flyingthings3d'}?pass=clean&subset="
    kitti = f"kitti2015:{shared / 'data/kitti2015'}?ground_truth=noc&split="
    alone = Path(tempfile.gettempdir()) / "one_frame.txt"  # the other frame has another size, also when padded
    write_text(alone, "13\n")
    stereonet, anynet = (
        shared / "weights" / name for name in ("stereonet/train_save_sceneflow.tar", "anynet/kitti2015_ck.tar")
    )
    return {
        "reference": ("builtin:reference", SCENES, f"{kitti}{alone}", KITTI_SIZE),
        "stereonet": (str(stereonet), f"{things}train", f"{things}test", (540, 960)),
        "anynet": (str(anynet), f"{kitti}{SPLITS}_train.txt", f"{kitti}{SPLITS}_test.txt", KITTI_SIZE),
    }
