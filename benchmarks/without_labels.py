"""Fine-tuning with and without ground truth, from the same pruned network, on real pairs: AnyNet on KITTI 2015.

    DISPARSITY_DATA=... python benchmarks/without_labels.py --out DIR [--steps N]    resumable

The published AnyNet is pruned by `recipes/anynet_kitti2015.toml` (reconstruction on images alone) and fine-tuned on the
eleven training frames with other losses; D1 and EPE are of the two held-out frames. Writes results/without_labels.md.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from provenance import provenance

from disparsity.base.atomic_io import write_json, write_text
from disparsity.base.signals import StopRequest
from disparsity.datasets.uri import open_data
from disparsity.evaluation.evaluation import evaluate
from disparsity.pipeline import prepare
from disparsity.recipe.plan import single_stage
from disparsity.recipe.recipe import Recipe, load_recipe
from disparsity.run.context import open_context
from disparsity.run.stages.registry import run_stage
from disparsity.stereo.network import StereoNetwork

ROOT = Path(__file__).parents[1]
VARIANTS: dict[str, dict[str, Any]] = {
    "labels": {"truth_weight": 1.0, "teacher_weight": 0.0},
    "labels and dense teacher": {"truth_weight": 1.0, "teacher_weight": 1.0},
    "dense teacher alone": {"truth_weight": 0.0, "teacher_weight": 1.0},
    "photometric alone": {"truth_weight": 0.0, "teacher_weight": 0.0, "photometric_weight": 20.0},
    "photometric and dense teacher": {"truth_weight": 0.0, "teacher_weight": 1.0, "photometric_weight": 20.0},
}


def base_recipe() -> Recipe:
    """The recipe, its data where `DISPARSITY_DATA` says."""
    text = (ROOT / "recipes" / "anynet_kitti2015.toml").read_text(encoding="utf-8")
    folder = os.environ.get("DISPARSITY_DATA", "../shared")
    text = text.replace("../shared", folder).replace("recipes/splits", str(ROOT / "recipes" / "splits"))
    path = Path(os.environ.get("TMPDIR", "/tmp")) / "anynet_without_labels.toml"
    write_text(path, text)
    return load_recipe(path)


def figures(network: StereoNetwork, recipe: Recipe) -> dict[str, float]:
    """EPE and D1 of the held-out frames."""
    uri = recipe.data.test[0]
    row = evaluate(network, open_data(uri), uri=uri, stage="pruned", mask_disparity=recipe.data.mask_disparity).row
    return {"epe_px": row["epe_px"], "d1_percent": row["d1_percent"]}


def run(out: Path, steps: int) -> dict[str, dict[str, float]]:
    """Dense, pruned, and every variant of the fine-tuning; those that were done are read."""
    recipe = base_recipe()
    prepare(recipe)
    context = open_context(recipe, out, StopRequest())
    pruned = run_stage(context, single_stage(recipe, "prune"), context.dense)
    rows = {"dense": figures(context.dense, recipe), "pruned, no training": figures(pruned, recipe)}
    for name, change in VARIANTS.items():
        done = out / f"{name.replace(' ', '_')}.json"
        if not done.is_file():
            assert recipe.finetune is not None
            changed = replace(recipe, finetune=replace(recipe.finetune, steps=steps, **change))
            variant = open_context(changed, out / name.replace(" ", "_"), StopRequest())
            write_json(done, figures(run_stage(variant, single_stage(changed, "finetune"), pruned), recipe))
        rows[name] = json.loads(done.read_text())
        print(name, rows[name], flush=True)
    return rows


def write_table(rows: dict[str, dict[str, float]], steps: int) -> None:
    """`results/without_labels.md`."""
    lines = [
        "# Fine-tuning without labels",
        "",
        "Published AnyNet, 75 % of the weights pruned by reconstruction on images alone, then "
        f"{steps} steps of two 256x512 crops of the eleven training frames of KITTI 2015 (Adam 7e-4, BatchNorm in eval "
        "mode). Figures are of the held-out frames 000013 and 000159 (noc, pooled).",
        "",
        "| fine-tuned with | EPE px | D1 % |",
        "|---|---|---|",
        *(f"| {name} | {row['epe_px']:.3f} | {row['d1_percent']:.2f} |" for name, row in rows.items()),
        "",
        *provenance("DISPARSITY_DATA=... python benchmarks/without_labels.py --out DIR"),
    ]
    write_text(ROOT / "benchmarks" / "results" / "without_labels.md", "\n".join(lines) + "\n")


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=300)
    arguments = parser.parse_args()
    write_table(run(arguments.out, arguments.steps), arguments.steps)


if __name__ == "__main__":
    main()
