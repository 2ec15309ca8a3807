"""Allocations of bits at equal bytes: the reference network on synthetic scenes, after training, nothing trained.

    python benchmarks/stage_two_allocation.py run       resumes
    python benchmarks/stage_two_allocation.py table

Every allocation may measure as many networks: one per layer and candidate, which is what `greedy` and `lagrangian`
need for their table. Distortion is measured on a few small unlabelled pairs; the error on other scenes, with the
inputs quantized too.
"""

from __future__ import annotations

import copy
import functools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from harness.benchmark import Benchmark, main
from harness.rows import Case, Row
from harness.tables import Table, pivot

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
from disparsity.quant.allocations.settings import SearchSettings
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.bits import LayerBits
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.recipe.sections import QuantizeSection
from disparsity.run.stages.bit_allocation import Allocator, mask_channels
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


@functools.cache
def build() -> Bench:
    """Everything that all runs share, the table of distortions measured once."""
    network = use_channels_last(open_network("builtin:reference", None)).eval()
    small = TrainingStream([open_data(PAIRS)], (1.0,), 2, None, 0).next_batch(0)
    fold_batchnorm(network, (small.left, small.right))
    settings = QuantizeSection(allocation=SearchSettings(removed_fraction=REMOVED_SHARE))
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
    choose = ALLOCATIONS.get(METHODS[method][0])
    if choose is not None:
        return choose(problem)
    return Plan.whole([row.index(int(average)) if len(row) > 1 else 0 for row in problem.widths])


def quantized(bench: Bench, plan: Plan) -> StereoNetwork:
    """The network of a plan, its inputs calibrated."""
    network = copy.deepcopy(bench.network)
    taken = zip(bench.ranked.items(), plan.removed, strict=True)
    mask_channels(network, {name: rank[:gone] for (name, rank), gone in taken if gone})
    widths = {n: row[o] for n, row, o in zip(bench.ranked, bench.problem.widths, plan.options, strict=True)}
    attach_quantizers(
        network, {n: LayerBits(weights=widths[n], activations=each.activations) for n, each in bench.bits.items()}
    )
    batch = TrainingStream([open_data(TRAIN)], (1.0,), 4, None, 0).next_batch(0)
    calibrate(network, [(batch.left, batch.right)])
    return network


def cases() -> Iterator[Case]:
    """What chooses channels too depends on a seed."""
    for seed in SEEDS:
        for average in BUDGETS:
            for method, (name, _) in METHODS.items():
                if seed == SEEDS[0] or name in ("search", "random"):
                    yield {"method": method, "average_bits": average, "seed": seed}


def measure(case: Case) -> dict[str, Any]:
    bench, (name, removed) = build(), METHODS[case["method"]]
    problem = asked(bench.problem, case["average_bits"], removed, case["seed"])
    started = time.process_time()
    plan = answer(problem, case["method"], case["average_bits"])
    seconds = time.process_time() - started
    cost = math.fsum(cost_of(plan, problem.costs, problem.left))
    assert cost <= problem.budget
    return {
        "bytes": round(cost),
        "evaluations": 0 if name == "uniform" else problem.evaluations,
        "seconds": round(seconds, 1),
        "removed_channels": sum(plan.removed),
        "mean_squared_change_px2": problem.measure(plan),
        "epe_px": epe(quantized(bench, plan)),
        "bits": " ".join(str(row[option]) for row, option in zip(problem.widths, plan.options, strict=True)),
    }


def epe(network: StereoNetwork) -> float:
    """End-point error on the unseen scenes, in px."""
    return float(evaluate(network, open_data(TEST), uri=TEST, stage="quantized").row["epe_px"])


def tables(rows: list[Row]) -> Iterator[Table]:
    for figure in ("mean_squared_change_px2", "epe_px", "bytes"):
        yield pivot(f"allocations, {figure}", rows, ("method",), "average_bits", figure)


BENCHMARK = Benchmark(
    name="stage_two_allocation",
    question="Which allocation of bits is best at equal bytes",
    cases=cases,
    measure=measure,
    tables=tables,
)

if __name__ == "__main__":
    main(BENCHMARK)
