"""Scores and fine-tuning modes side by side at equal steps: the reference network on synthetic scenes.

    python benchmarks/stage_one_modes.py run --out DIR [--part I/N]     resumable; parts may run at the same time
    python benchmarks/stage_one_modes.py table --out DIR                writes results/stage_one_modes.{csv,md}

Every run prunes the reference network, fine-tunes it for the same number of steps and is scored on the same unseen
scenes. The control `dense_equal_bytes` is a StereoNet trained from nothing whose float32 weights take as many bytes as
the packed file of the pruned network (positions and float32 values).
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from provenance import provenance

from disparsity.datasets.uri import open_data
from disparsity.evaluation import evaluate
from disparsity.files import write_json, write_text
from disparsity.finetune.reconstruct import ReconstructSettings
from disparsity.finetune.settings import TrainSettings
from disparsity.hwcost.packing import pack
from disparsity.packed import pack_network
from disparsity.pipeline import prepare
from disparsity.recipe import DataSection, NetworkSection, PruneSection, Recipe
from disparsity.signals import StopRequest
from disparsity.stages import Context, run_stage
from disparsity.stereo.networks import build_network

TEST = "synthetic:?pairs=60&size=96x192&seed=1000&max_disparity=48"
TRAIN = "synthetic:?pairs=600&size=96x192&seed=1&max_disparity=48"
SPARSITIES = (0.97, 0.985)
SEEDS = (0, 1, 2)
METHODS = (
    ("random", "frozen"),
    ("magnitude", "frozen"),
    ("taylor", "frozen"),
    ("taylor", "regrow"),
    ("taylor", "reconstruct"),
)
PRUNE_STEPS, TUNE_STEPS, CONTROL_STEPS = 80, 100, 1200
EVENTS = 8
FIRST_SPARSITY = 0.5
RATE = 2e-3
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Case:
    """One run of the grid; `score` is `dense_equal_bytes` for the control."""

    score: str
    mode: str
    sparsity: float
    seed: int

    @property
    def name(self) -> str:
        """The run's folder and result file."""
        return f"{self.score}-{self.mode}-{self.sparsity:g}-{self.seed}"


def cases() -> Iterator[Case]:
    """All runs, the most telling first."""
    for seed in SEEDS:
        for sparsity in SPARSITIES:
            for score, mode in METHODS:
                if score != "random" or seed == 0:
                    yield Case(score, mode, sparsity, seed)
    for sparsity in SPARSITIES:
        yield Case("dense_equal_bytes", "-", sparsity, 0)


def recipe_of(case: Case) -> Recipe:
    """The recipe of one compression run."""
    training = TrainSettings(steps=PRUNE_STEPS, learning_rate=RATE, rate="constant", warmup=5, precision="auto")
    tuning = TrainSettings(steps=TUNE_STEPS, learning_rate=RATE, warmup=5, precision="auto")
    section = PruneSection(
        sparsity=case.sparsity,
        score=case.score,
        mode=case.mode,
        events=EVENTS,
        first_sparsity=FIRST_SPARSITY,
        train=training,
        reconstruct=ReconstructSettings(pairs=8, positions=6000),
    )
    return Recipe(
        seed=case.seed,
        threads=1,
        network=NetworkSection(name="reference", checkpoint="builtin:reference"),
        data=DataSection(train=(TRAIN,), test=(TEST,), batch=4),
        prune=section,
        finetune=tuning,
    )


def compress(case: Case, folder: Path) -> dict[str, Any]:
    """One run of the grid."""
    recipe = recipe_of(case)
    prepare(recipe)
    context = Context(run=folder, recipe=recipe, stop=StopRequest())
    pruned = run_stage(context, context.dense, 1, "prune")
    tuned = run_stage(context, pruned, 2, "finetune")
    stages = [json.loads(path.read_text())["seconds"] for path in sorted(folder.glob("stages/*/checkpoint.json"))]
    return {**scored(tuned), "bytes": len(pack(pack_network(tuned))), "seconds": sum(stages)}


def equal_bytes_control(case: Case, folder: Path, target: int) -> dict[str, Any]:
    """A small dense network of the target size, trained from nothing."""
    recipe = Recipe(
        seed=case.seed,
        threads=1,
        data=DataSection(train=(TRAIN.replace("600", "5000"),), test=(TEST,), batch=8),
        train=TrainSettings(steps=CONTROL_STEPS, learning_rate=RATE, warmup=100, precision="auto"),
    )
    prepare(recipe)
    network = build_network("reference", **closest_sizes(target))
    trained = run_stage(Context(run=folder, recipe=recipe, stop=StopRequest()), network, 1, "train")
    return {**scored(trained), "bytes": 4 * sum(p.numel() for p in trained.parameters()), "seconds": None}


def closest_sizes(target: int) -> dict[str, int]:
    """Width and refinement width (a third of it) whose float32 parameters come closest to `target` bytes."""
    sizes = [{"width": width, "refinement_width": max(2, width // 3)} for width in range(3, 48)]
    return min(sizes, key=lambda size: abs(4 * _parameters(size) - target))


def _parameters(size: dict[str, int]) -> int:
    return sum(parameter.numel() for parameter in build_network("reference", **size).parameters())


def scored(network: Any) -> dict[str, Any]:
    """EPE and D1 on the unseen scenes."""
    row = evaluate(network, open_data(TEST), uri=TEST, stage="pruned").row
    return {"epe_px": row["epe_px"], "d1_percent": row["d1_percent"]}


def run(out: Path, part: int, parts: int) -> None:
    """All cases of one part that have no result yet."""
    for index, case in enumerate(cases()):
        result = out / f"{case.name}.json"
        if index % parts != part or result.is_file():
            continue
        folder = out / case.name
        if case.score == "dense_equal_bytes":
            like = out / f"taylor-frozen-{case.sparsity:g}-0.json"
            if not like.is_file():
                continue
            row = equal_bytes_control(case, folder, json.loads(like.read_text())["bytes"])
        else:
            row = compress(case, folder)
        write_json(result, {**case.__dict__, **row})
        print(case.name, row, flush=True)


def table(out: Path) -> None:
    """Collect the results into a CSV of runs and a Markdown table of means and spreads."""
    rows = [json.loads(path.read_text()) for path in sorted(out.glob("*.json"))]
    dense = scored(Context(run=out, recipe=recipe_of(Case("taylor", "frozen", 0.97, 0)), stop=StopRequest()).dense)
    with (RESULTS / "stage_one_modes.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    lines = [
        "# Scores and fine-tuning modes at equal steps",
        "",
        f"Reference network, {PRUNE_STEPS} pruning and {TUNE_STEPS} fine-tuning steps of 4 pairs 96x192, "
        f"{EVENTS} events from {100 * FIRST_SPARSITY:g} % on, "
        f"Adam {RATE:g}; EPE in px on 60 unseen scenes: mean and range over seeds. "
        f"Dense: {dense['epe_px']:.3f}. The control `dense_equal_bytes` is trained from nothing "
        f"for {CONTROL_STEPS} steps of 8 pairs.",
        "",
        "| score | mode | " + " | ".join(f"{100 * s:g} %" for s in SPARSITIES) + " |",
        "|---|---|" + "---|" * len(SPARSITIES),
    ]
    for score, mode in (*METHODS, ("dense_equal_bytes", "-")):
        cells = [
            _cell([r for r in rows if (r["score"], r["mode"], r["sparsity"]) == (score, mode, s)]) for s in SPARSITIES
        ]
        lines.append(f"| {score} | {mode} | " + " | ".join(cells) + " |")
    lines += ["", *provenance("python benchmarks/stage_one_modes.py run --out DIR; ... table --out DIR")]
    write_text(RESULTS / "stage_one_modes.md", "\n".join(lines) + "\n")
    print("\n".join(lines))


def _cell(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "not run"
    values = [row["epe_px"] for row in rows]
    size = statistics.mean(row["bytes"] for row in rows) / 1000
    return f"{statistics.mean(values):.3f} ({min(values):.3f}..{max(values):.3f}, n={len(values)}; {size:.0f} kB)"


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part", default="0/1", help="which share of the cases, e.g. 0/2")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    if arguments.action == "run":
        part, parts = map(int, arguments.part.split("/"))
        run(arguments.out, part, parts)
    else:
        table(arguments.out)


if __name__ == "__main__":
    main()
