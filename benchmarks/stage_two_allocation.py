"""Allocations of bits at equal bytes: the reference network on synthetic scenes, after training, nothing trained.

    python benchmarks/stage_two_allocation.py     writes results/stage_two_allocation.{csv,md}; rows that the CSV holds
                                                  are not measured again

Every allocation may measure as many networks: one per layer and candidate, which is what `greedy` and `lagrangian`
need for their table. Distortion is measured on a few small unlabelled pairs; the error on other scenes, with the
inputs quantized too.
"""

from __future__ import annotations

import copy
import csv
import functools
import math
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from provenance import provenance

from disparsity.base.atomic_io import write_text
from disparsity.checkpoint.restore import open_network
from disparsity.datasets.batches.stream import TrainingStream
from disparsity.datasets.uri import open_data
from disparsity.evaluation.evaluation import evaluate
from disparsity.finetune.channels_last import use_channels_last
from disparsity.finetune.objective import Objective
from disparsity.finetune.settings import TrainSettings
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.pruning.scores.taylor import taylor_pass
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.allocations.problem import Plan, Problem, cost_of
from disparsity.quant.allocations.registry import ALLOCATIONS
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.bits import LayerBits
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.recipe.recipe import QuantizeSection
from disparsity.run.stages.bit_allocation import Allocator, remove_channels
from disparsity.run.stages.bit_costs import cost_at
from disparsity.run.stages.layer_bits import bits_of
from disparsity.stereo.network import StereoNetwork

TEST = "synthetic:?pairs=20&size=96x192&seed=1000&max_disparity=48"
TRAIN = "synthetic:?pairs=32&size=96x192&seed=1&max_disparity=48"
PAIRS = "synthetic:?pairs=2&size=48x96&seed=2&max_disparity=32"
BUDGETS = (3.0, 4.0, 5.0)
SEEDS = (0, 1, 2)
REMOVED_SHARE = 0.25
SCORE_BATCHES = 8
RESULTS = Path(__file__).parent / "results"
NUMBERS = ("average_bits", "seed", "bytes", "evaluations", "seconds", "mean_squared_change_px2", "epe_px")

METHODS = {
    "uniform": ("uniform", 0.0),
    "greedy": ("greedy", 0.0),
    "lagrangian": ("lagrangian", 0.0),
    "search, bits only": ("search", 0.0),
    "random, bits only": ("random", 0.0),
    "search, 0 bits too": ("search", REMOVED_SHARE),
    "random, 0 bits too": ("random", REMOVED_SHARE),
}
"""By the name in the table: allocation, and the share of its channels that a layer may lose."""


@dataclass(frozen=True)
class Bench:
    """The folded float network, the largest problem, and the bits of uniform allocation."""

    network: StereoNetwork
    problem: Problem
    ranked: dict[str, torch.Tensor]
    bits: dict[str, LayerBits]


def build() -> Bench:
    """Everything that all runs share, the table of distortions measured once."""
    network = use_channels_last(open_network("builtin:reference", None)).eval()
    small = TrainingStream([open_data(PAIRS)], (1.0,), 2, None, 0).next_batch(0)
    fold_batchnorm(network, (small.left, small.right))
    settings = QuantizeSection(allocation="search", removed_share=REMOVED_SHARE)
    bits = bits_of(network, settings)
    stream, objective = (
        TrainingStream([open_data(TRAIN)], (1.0,), 4, None, 0),
        Objective(settings=TrainSettings(steps=0)),
    )

    def scores(layers: Any) -> dict[str, torch.Tensor]:
        return taylor_pass(network, layers, lambda index: objective(network, stream.next_batch(index)), SCORE_BATCHES)

    allocator = Allocator(network, settings, bits, small, attach_quantizers, scores, load_profile(), 0)
    problem = allocator.problem()
    return Bench(network, replace(problem, table=functools.cache(problem.table)), allocator.ranked, bits)


def asked(problem: Problem, average: float, removed: float, seed: int) -> Problem:
    """The problem at another budget, with or without channels of 0 bits."""
    budget = math.fsum(cost_at(costs, row, average) for costs, row in zip(problem.costs, problem.widths, strict=True))
    left = problem.left if removed else [[1.0]] * len(problem.left)
    return replace(problem, budget=budget, left=left, seed=seed)


def answer(problem: Problem, method: str, average: float) -> Plan:
    """The plan of a method."""
    choose = ALLOCATIONS[METHODS[method][0]].choose
    if choose is not None:
        return choose(problem)
    return Plan.whole([row.index(int(average)) if len(row) > 1 else 0 for row in problem.widths])


def quantized(bench: Bench, plan: Plan) -> StereoNetwork:
    """The network of a plan, its inputs calibrated."""
    network = copy.deepcopy(bench.network)
    taken = zip(bench.ranked.items(), plan.removed, strict=True)
    remove_channels(network, {name: rank[:gone] for (name, rank), gone in taken if gone})
    widths = {n: row[o] for n, row, o in zip(bench.ranked, bench.problem.widths, plan.options, strict=True)}
    attach_quantizers(
        network, {n: LayerBits(weights=widths[n], activations=each.activations) for n, each in bench.bits.items()}
    )
    batch = TrainingStream([open_data(TRAIN)], (1.0,), 4, None, 0).next_batch(0)
    calibrate(network, [(batch.left, batch.right)])
    return network


def cases() -> Iterator[tuple[str, float, int]]:
    """Method, average bits and seed of every run."""
    for seed in SEEDS:
        for average in BUDGETS:
            for method, (name, _) in METHODS.items():
                if seed == SEEDS[0] or ALLOCATIONS[name].removes:
                    yield method, average, seed


def measured(bench: Bench, method: str, average: float, seed: int) -> dict[str, Any]:
    """One row."""
    name, removed = METHODS[method]
    problem = asked(bench.problem, average, removed, seed)
    started = time.process_time()
    plan = answer(problem, method, average)
    seconds = time.process_time() - started
    cost = math.fsum(cost_of(plan, problem.costs, problem.left))
    assert cost <= problem.budget
    return {
        "method": method,
        "average_bits": average,
        "seed": seed,
        "bytes": round(cost),
        "evaluations": 0 if name == "uniform" else problem.evaluations,
        "seconds": round(seconds, 1),
        "removed_channels": sum(plan.removed),
        "mean_squared_change_px2": problem.measure(plan),
        "epe_px": epe(quantized(bench, plan)),
        "bits": " ".join(str(row[option]) for row, option in zip(problem.widths, plan.options, strict=True)),
    }


def rows(path: Path) -> list[dict[str, Any]]:
    """All rows, measured now or before; every new one is written down at once."""
    found: list[dict[str, Any]] = []
    if path.is_file():
        with path.open(newline="") as file:
            found = [{**row, **{key: float(row[key]) for key in NUMBERS}} for row in csv.DictReader(file)]
    done = {(row["method"], row["average_bits"], row["seed"]) for row in found}
    waiting = [case for case in cases() if case not in done]
    bench = build() if waiting else None
    for case in waiting:
        assert bench is not None
        found.append(measured(bench, *case))
        print(found[-1], flush=True)
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(found[0]))
            if len(found) == 1:
                writer.writeheader()
            writer.writerow(found[-1])
    return found


def epe(network: StereoNetwork) -> float:
    """End-point error on the unseen scenes, in px."""
    return float(evaluate(network, open_data(TEST), uri=TEST, stage="quantized").row["epe_px"])


def report(found: list[dict[str, Any]], float_epe: float) -> list[str]:
    """The table, and who wins."""
    evaluations = max(row["evaluations"] for row in found)
    lines = [
        "# Allocations of bits at equal bytes",
        "",
        "Reference network, BatchNorm folded, nothing trained; candidates 2..8 bits, first and protected layers at 8, "
        f"inputs at 8. Every method but `uniform` may measure {evaluations:.0f} networks, on 2 unlabelled pairs 48x96. "
        "Change: mean squared change of the disparity on these pairs, px2. EPE in px on 20 unseen scenes 96x192 "
        f"(float: {float_epe:.3f}). Mean and range over {len(SEEDS)} seeds for `search` and `random`.",
        "",
        "| method | " + " | ".join(f"{b:g} bits: change | EPE" for b in BUDGETS) + " |",
        "|---|" + "---|---|" * len(BUDGETS),
    ]
    for method in METHODS:
        cells = []
        for average in BUDGETS:
            runs = [row for row in found if (row["method"], row["average_bits"]) == (method, average)]
            cells += [cell([run["mean_squared_change_px2"] for run in runs]), cell([run["epe_px"] for run in runs])]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    bytes_ = ", ".join(f"{max(r['bytes'] for r in found if r['average_bits'] == b) / 1000:.0f} kB" for b in BUDGETS)
    lines += ["", f"Budgets: {bytes_}; no plan exceeds its budget.", ""]
    lines += [f"Least {what} by mean: {winners(found, key)}." for what, key in
              (("change", "mean_squared_change_px2"), ("EPE", "epe_px"))]  # fmt: skip
    if min(row["epe_px"] for row in found) < float_epe:
        lines.append("Below the float network's EPE these scenes no longer tell methods apart; the change still does.")
    seconds = sum(row["seconds"] for row in found)
    shared = "`greedy` and `lagrangian` share one measured table"
    return [*lines, "", f"Processor time of all choices: {seconds:.0f} s ({shared}).", ""]


def winners(found: list[dict[str, Any]], key: str) -> str:
    """The methods with the smallest mean at each budget."""
    best = []
    for average in BUDGETS:
        means = {
            method: statistics.mean(
                row[key] for row in found if (row["method"], row["average_bits"]) == (method, average)
            )
            for method in METHODS
        }
        least = [method for method in METHODS if math.isclose(means[method], min(means.values()))]
        best.append(f"{' and '.join(least)} at {average:g} bits")
    return "; ".join(best)


def cell(values: list[float]) -> str:
    """Mean, and the range of several."""
    text = f"{statistics.mean(values):.3f}"
    return text if len(values) == 1 else f"{text} ({min(values):.3f}..{max(values):.3f})"


def main() -> None:
    """Measure everything and write the two files."""
    torch.set_num_threads(1)
    found = rows(RESULTS / "stage_two_allocation.csv")
    text = report(found, epe(open_network("builtin:reference", None)))
    text += provenance("python benchmarks/stage_two_allocation.py")
    write_text(RESULTS / "stage_two_allocation.md", "\n".join(text) + "\n")
    print("\n".join(text))


if __name__ == "__main__":
    main()
