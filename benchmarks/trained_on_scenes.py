"""What synthetic scenes teach: a StereoNet that has seen nothing else, judged on real pairs.

    DISPARSITY_DATA=... python benchmarks/trained_on_scenes.py

The training is kept in build/trained_on_scenes and resumes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from harness.benchmark import Benchmark, main
from harness.rows import Case, Row
from harness.tables import Table, pivot

import disparsity
from disparsity.checkpoint.checkpoints import save_checkpoint
from disparsity.checkpoint.restore import network_checkpoint, open_network
from disparsity.datasets.uri import open_data
from disparsity.recipe.recipe import load_recipe
from disparsity.stereo.inference import score
from disparsity.stereo.metrics import pooled
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build/trained_on_scenes"
LIMIT_PX = 192
REAL = {
    "FlyingThings3D, test": "sceneflow:{}/flyingthings3d?subset=test&pass=clean",
    "KITTI 2015, noc": "kitti2015:{}/kitti2015?ground_truth=noc",
    "KITTI 2012, occ": "kitti2012:{}/kitti2012?ground_truth=occ",
    "Middlebury 2003": "middlebury:{}/middlebury2003",
}


def cases() -> Iterator[Case]:
    for network, data in product(("plain", "plain, then hard", "published"), REAL):
        yield {"trained_on": network, "data": data}


def measure(case: Case) -> dict[str, Any]:
    shared = Path(os.environ["DISPARSITY_DATA"])
    data = open_data(REAL[case["data"]].format(shared / "data"))
    network = _network(case["trained_on"], shared)
    found = pooled(score(network, data, max_disparity=float(LIMIT_PX)))
    return {"epe_px": found["epe_px"], "d1_percent": found["d1_percent"]}


def _network(name: str, shared: Path) -> StereoNetwork:
    """`plain` is the reference network with a cost volume for 192 px; its weights do not depend on that size."""
    if name == "published":
        return open_network(str(shared / "weights/stereonet/train_save_sceneflow.tar"), "stereonet").eval()
    reference = open_network("builtin:reference", None)
    start = build_network("reference", **{**reference.spec.settings, "max_disparity": LIMIT_PX})
    start.load_state_dict(reference.state_dict())
    if name == "plain":
        return start.eval()
    save_checkpoint(BUILD / "start/checkpoint.json", network_checkpoint(start, {}))
    recipe = load_recipe(ROOT / "recipes/hard_scenes.toml")
    run = disparsity.run(recipe, BUILD / "train", stage="train", start=BUILD / "start")
    return open_network(str(run.stages[-1].folder), None)


def tables(rows: list[Row]) -> Iterator[Table]:
    for figure in ("epe_px", "d1_percent"):
        yield pivot(f"real pairs, {figure}", rows, ("trained_on",), "data", figure)


BENCHMARK = Benchmark(
    name="trained_on_scenes",
    question="What do synthetic scenes teach",
    cases=cases,
    measure=measure,
    tables=tables,
)

if __name__ == "__main__":
    main(BENCHMARK)
