"""What quantizers, widths, orders and the published methods are worth, with and without pruning.

    DISPARSITY_DATA=... python benchmarks/stage_two.py run [--only group=tuned variant=lsq] [--part I/N]     resumes
    python benchmarks/stage_two.py table

`DISPARSITY_DATA` names the folder of the published checkpoints and their pairs (group `published`). The pruned network
is made once, in build/stage_two. What a quantized training step costs is measured by gpu.py.
"""

from __future__ import annotations

import functools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import stage_one
import stage_one_cases
from harness.benchmark import Benchmark, main
from harness.rows import Case, Row, of
from harness.tables import Table, pivot
from stage_two_cases import SPARSITY, Plan, cases, plan_of

import disparsity
from disparsity.checkpoint.packed import pack_network
from disparsity.checkpoint.restore import open_network
from disparsity.datasets.uri import open_data
from disparsity.evaluation.evaluation import Evaluated, evaluate
from disparsity.hwcost.codec.packing import pack
from disparsity.recipe.plan import planned_stages
from disparsity.recipe.recipe import Recipe, load_recipe
from disparsity.stereo.network import StereoNetwork

PRUNED = Path(__file__).parents[1] / "build/stage_two/pruned"


def measure(case: Case) -> dict[str, Any]:
    """Error, bytes of the packed file, and how far the maps move from those of the network in float."""
    plan = plan_of(case)
    recipe = load_recipe(plan.recipe, [*plan.changes, f"seed={case['seed']}"])
    before = str(_pruned()) if plan.start == "pruned" else recipe.network.checkpoint
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        after = _compressed(plan, recipe, before, Path(folder) / "run")
        seconds = time.process_time() - began
        network = open_network(after, recipe.network.name)
    found, reference = _scored(network, recipe), _scored(open_network(before, recipe.network.name), recipe)
    changes = [np.square(a.astype(float) - b).mean() for a, b in zip(found.maps, reference.maps, strict=True)]
    return {
        "epe_px": found.row["epe_px"],
        "d1_percent": found.row["d1_percent"],
        "bytes": len(pack(pack_network(network))),
        "change_px2": float(np.mean(changes)),
        "processor_s": round(seconds, 1),
    }


def _compressed(plan: Plan, recipe: Recipe, start: str, out: Path) -> str:
    """The checkpoint after all stages of the recipe; after none, the start."""
    if plan.group == "order":  # an order may take a stage several times
        return str(disparsity.run(recipe, out).stages[-1].folder)
    if recipe.finetune is None and recipe.quantize is None:
        return start
    checkpoint: str | None = start
    for stage in planned_stages(recipe):
        run = disparsity.run(recipe, out, stage=stage.kind.name, start=checkpoint)
        start = str(run.stages[-1].folder)
        checkpoint = None  # the next stage begins with this one's network
    return start


@functools.cache
def _pruned() -> Path:
    """The reference network after stage one, made unless it is there."""
    case = {"group": "final", "variant": "default", "sparsity": SPARSITY, "seed": 0}
    run = disparsity.run(load_recipe(stage_one.RECIPE, stage_one_cases.changes_of(case)), PRUNED)
    return run.stages[-1].folder


def _scored(network: StereoNetwork, recipe: Recipe) -> Evaluated:
    uri = recipe.data.test[0]
    data = open_data(uri)
    mask = recipe.data.mask_disparity
    return evaluate(network, data, uri=uri, stage="", mask_disparity=mask, keep=len(data))


def tables(rows: list[Row]) -> Iterator[Table]:
    """The error of every variant by width, group by group; orders with their bytes."""
    groups = dict.fromkeys((row["case"]["group"], row["case"]["start"]) for row in rows)
    for group, start in groups:
        yield pivot(f"{group}, {start}", of(rows, group=group, start=start), ("variant",), "bits", "epe_px")
    for figure, group in (
        ("bytes", "order"),
        ("processor_s", "order"),
        ("bytes", "tuned"),
        ("change_px2", "transform"),
    ):
        yield pivot(f"{group}, {figure}", of(rows, group=group), ("variant",), "bits", figure)


BENCHMARK = Benchmark(
    name="stage_two",
    question="What quantizers, widths, orders and the published methods are worth",
    cases=cases,
    measure=measure,
    tables=tables,
)

if __name__ == "__main__":
    main(BENCHMARK)
