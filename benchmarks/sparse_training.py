"""What sparse computation does to a training step: dense kernels against non-zero weights only, in one process.

`python benchmarks/sparse_training.py --out results/sparse_training.md`
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch
from provenance import provenance

from disparsity.base.atomic_io import write_text
from disparsity.checkpoint.restore import open_network
from disparsity.datasets.batches.stream import Batch, TrainingStream
from disparsity.datasets.uri import open_data
from disparsity.finetune.channels_last import use_channels_last
from disparsity.finetune.objective import Objective
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.sparse.switch import switch_off, switch_on
from disparsity.finetune.training import Trainer
from disparsity.pruning.masks import attach_masks, masks_of, set_masks
from disparsity.pruning.prunable import prunable_layers

SPARSITIES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.985)
DATA = "synthetic:?pairs=4&size=96x192&seed=1&max_disparity=48"


def main() -> None:
    """Measure and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = [row(sparsity, arguments.steps) for sparsity in SPARSITIES]
    command = f"python benchmarks/sparse_training.py --threads {arguments.threads} --steps {arguments.steps}"
    write_text(arguments.out, "\n".join([*table(rows), "", *provenance(command)]) + "\n")


def row(sparsity: float, steps: int) -> tuple[float, float, float]:
    """Sparsity, and the median seconds of a step with dense and with sparse computation."""
    network = use_channels_last(open_network("builtin:reference", None))
    attach_masks(network, prunable_layers(network, network.spec.protected))
    generator = torch.Generator().manual_seed(0)
    masks = masks_of(network)
    set_masks(network, {n: torch.rand(m.shape, generator=generator) >= sparsity for n, m in masks.items()})
    batch = TrainingStream([open_data(DATA)], (1.0,), 4, None, 0).next_batch(0)
    trainer = Trainer(network, always(batch), Objective(settings=TrainSettings(steps=1)))
    dense = seconds(trainer, steps)
    switch_on(network, most=1.0)
    sparse = seconds(trainer, steps)
    switch_off(network)
    return sparsity, dense, sparse


def always(batch: Batch):
    """The same batch at every step: data are not what is measured."""
    return lambda _step: batch


def seconds(trainer: Trainer, steps: int) -> float:
    """Median seconds of a step after two that warm up."""
    taken = []
    for number in range(steps + 2):
        started = time.perf_counter()
        trainer._one_step(number)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[2:])


def table(rows: list[tuple[float, float, float]]) -> list[str]:
    """The rows as Markdown."""
    lines = [
        "# A training step of the reference network, dense kernels against non-zero weights only",
        "",
        "Batch of 4 pairs 96x192, float32, random masks of equal sparsity in every layer; forward, backward and Adam.",
        "",
        "| sparsity | dense ms | sparse ms | dense / sparse |",
        "|---|---|---|---|",
    ]
    return lines + [f"| {s:.3f} | {1e3 * d:.0f} | {1e3 * q:.0f} | {d / q:.2f} |" for s, d, q in rows]


if __name__ == "__main__":
    main()
