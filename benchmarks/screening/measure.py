"""One run of the grid: prune, fine-tune and score, or train the control."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from painted import context_of

from disparsity.checkpoint.packed import pack_network
from disparsity.datasets.uri import open_data
from disparsity.evaluation.evaluation import evaluate
from disparsity.finetune.settings import TrainSettings
from disparsity.hwcost.codec.packing import pack
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.pipeline import prepare
from disparsity.pruning.masks import masks_of
from disparsity.recipe.plan import planned_stages, single_stage
from disparsity.recipe.recipe import NetworkSection, Recipe
from disparsity.run.context import RunContext
from disparsity.run.stages.registry import run_stage
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network
from screening.cases import CONTROL_STEPS, Case, recipe_of


def compress(case: Case, folder: Path) -> dict[str, Any]:
    """Prune and fine-tune the reference network as the case says."""
    recipe = recipe_of(case)
    prepare(recipe)
    context = context_of(recipe, folder)
    network = context.dense
    for stage in planned_stages(recipe):
        network = run_stage(context, stage, network)
    seconds = [json.loads(path.read_text())["seconds"] for path in sorted(folder.glob("stages/*/checkpoint.json"))]
    macs = macs_percent(context, network)
    return {**scored(network, recipe), "bytes": len(pack(pack_network(network))), "macs_percent": macs} | {
        "seconds": sum(seconds)
    }


def train_control(case: Case, folder: Path, target: int) -> dict[str, Any]:
    """A dense network whose float32 weights take `target` bytes, trained from nothing."""
    recipe = recipe_of(case)
    steps = TrainSettings(steps=CONTROL_STEPS, learning_rate=2e-3, warmup=100)
    recipe = replace(recipe, network=NetworkSection(name="reference"), prune=None, finetune=None, train=steps)
    prepare(recipe)
    network = build_network("reference", **closest_sizes(target))
    trained = run_stage(context_of(recipe, folder), single_stage(recipe, "train"), network)
    return {**scored(trained, recipe), "bytes": 4 * parameters(trained), "macs_percent": None, "seconds": None}


def closest_sizes(target: int) -> dict[str, int]:
    """Width and refinement width (a third of it) whose float32 parameters come closest to `target` bytes."""
    sizes = [{"width": width, "refinement_width": max(2, width // 3)} for width in range(3, 48)]
    return min(sizes, key=lambda size: abs(4 * parameters(build_network("reference", **size)) - target))


def parameters(network: StereoNetwork) -> int:
    """How many numbers are trained."""
    return sum(parameter.numel() for parameter in network.parameters())


def scored(network: StereoNetwork, recipe: Recipe) -> dict[str, Any]:
    """EPE and D1 on the unseen scenes."""
    uri = recipe.data.test[0]
    row = evaluate(network, open_data(uri), uri=uri, stage="pruned").row
    return {"epe_px": row["epe_px"], "d1_percent": row["d1_percent"]}


def macs_percent(context: RunContext, network: StereoNetwork) -> float:
    """Effectual MACs as a share of the dense ones, both of the pruned layers."""
    batch = context.calibration.next_batch(0, 1)
    density = {name: float(mask.float().mean()) for name, mask in masks_of(network).items()}
    calls = [call for call in trace_workload(network, (batch.left, batch.right)).calls if call.name in density]
    macs = [(call.weight_uses * network.get_submodule(call.name).weight.numel(), call.name) for call in calls]
    return 100 * sum(count * density[name] for count, name in macs) / sum(count for count, _ in macs)
