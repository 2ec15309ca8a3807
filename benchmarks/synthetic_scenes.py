"""How hard the synthetic scenes are: a network trained on SceneFlow, judged on plain, hard and real pairs.

    DISPARSITY_DATA=... python benchmarks/synthetic_scenes.py

The published StereoNet was trained on SceneFlow. If it errs on our scenes about as much as on real pairs, they are
about as hard to match. Pixels at 192 or more are not scored, as the network cannot say them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from harness.benchmark import Benchmark, main
from harness.rows import Case, Row
from harness.tables import Table, listing

from disparsity.datasets.uri import open_data
from disparsity.stereo.inference import score
from disparsity.stereo.metrics import pooled
from disparsity.stereo.networks.published import load_published

LIMIT_PX = 192.0
QUANTILES = (5, 25, 50, 75, 95)
SCENES = "synthetic:?pairs=8&size=540x960&seed=77&style="


def cases() -> Iterator[Case]:
    for style in ("plain", "hard"):
        yield from ({"data": f"{SCENES}{style}&max_disparity={limit}"} for limit in (96, 192))
    yield {"data": "sceneflow:$DISPARSITY_DATA/data/flyingthings3d?subset=test&pass=clean"}


def measure(case: Case) -> dict[str, Any]:
    """Errors, quantiles of the true disparity, and how many pixels have an outline to their right (a step of 1 px)."""
    data = open_data(os.path.expandvars(case["data"]))
    weights = Path(os.environ["DISPARSITY_DATA"]) / "weights/stereonet/train_save_sceneflow.tar"
    found = pooled(score(load_published(weights, "stereonet").eval(), data, max_disparity=LIMIT_PX))
    known = np.concatenate([sample.disparity[sample.valid].numpy() for sample in data])
    steps = np.mean([(np.abs(np.diff(sample.disparity.numpy(), axis=1)) > 1).mean() for sample in data])
    errors = {key: found[key] for key in ("epe_px", "bad1_percent", "bad3_percent", "d1_percent")}
    quantiles = {f"q{q}_px": float(np.percentile(known, q)) for q in QUANTILES}
    return {"pairs": len(data), **errors, **quantiles, "outlines_percent": float(100 * steps)}


def tables(rows: list[Row]) -> Iterator[Table]:
    if rows:
        yield listing("scenes", rows, ("data",), list(rows[0]["found"]))


BENCHMARK = Benchmark(
    name="synthetic_scenes",
    question="How hard are the synthetic scenes",
    cases=cases,
    measure=measure,
    tables=tables,
)

if __name__ == "__main__":
    main(BENCHMARK)
