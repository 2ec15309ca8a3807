"""A training step of the reference network: in float, and behind quantizers."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch
from cost.clock import load

from disparsity.checkpoint.restore import open_network
from disparsity.datasets.batches.stream import Batch, TrainingStream
from disparsity.datasets.uri import open_data
from disparsity.finetune.channels_last import use_channels_last
from disparsity.finetune.objective import Objective
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.training import Trainer
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.recipe.recipe import QuantizeSection
from disparsity.run.stages.layer_bits import bits_of

DATA = "synthetic:?pairs=4&size=64x128&seed=1&max_disparity=48"
WARM_UP = 2
PLAIN, FOLDED = "plain", "plain, BatchNorm folded"
QUANTIZED = {
    "lsq W4 A8": ("lsq", 4),
    "ternary A8": ("ternary", 2),
    "power_of_two W4 A8": ("power_of_two", 4),
    "additive_power_of_two W4 A8": ("additive_power_of_two", 4),
}


def measure(rounds: int) -> dict[str, Any]:
    """Median seconds of processor time of every kind of step, and of their ratios within a round to the plain ones."""
    batch = TrainingStream([open_data(DATA)], (1.0,), 4, None, 0).next_batch(0)
    trainers = {PLAIN: _trainer(batch), FOLDED: _trainer(batch, folded=True)}
    trainers |= {name: _trainer(batch, quantizer=each) for name, each in QUANTIZED.items()}
    taken: dict[str, list[float]] = {name: [] for name in trainers}
    before = load()
    for number in range(rounds + WARM_UP):
        for name, trainer in _turned(trainers, number):
            seconds = _step_seconds(trainer, number)
            if number >= WARM_UP:
                taken[name].append(seconds)
    rows = {name: _row(times, taken[PLAIN], taken[FOLDED]) for name, times in taken.items()}
    return {"rows": rows, "load": (before, load()), "rounds": rounds}


def _row(times: list[float], plain: list[float], folded: list[float]) -> dict[str, float]:
    return {
        "seconds": statistics.median(times),
        "to_plain": statistics.median(a / b for a, b in zip(times, plain, strict=True)),
        "to_folded": statistics.median(a / b for a, b in zip(times, folded, strict=True)),
    }


def _step_seconds(trainer: Trainer, number: int) -> float:
    began = time.thread_time()
    trainer._one_step(number)
    return time.thread_time() - began


def _turned(trainers: dict[str, Trainer], number: int) -> list[tuple[str, Trainer]]:
    """Every round begins with another one, so that none always follows the same neighbour."""
    items = list(trainers.items())
    first = number % len(items)
    return items[first:] + items[:first]


def _trainer(batch: Batch, *, folded: bool = False, quantizer: tuple[str, int] | None = None) -> Trainer:
    network = use_channels_last(open_network("builtin:reference", None))
    views = (batch.left, batch.right)
    if folded or quantizer:
        fold_batchnorm(network, views)
    if quantizer:
        settings = QuantizeSection(quantizer=quantizer[0], weight_bits=quantizer[1])
        attach_quantizers(network, bits_of(network, settings), quantizer=quantizer[0], settings=settings)
        with torch.no_grad():
            calibrate(network, [views])
    return Trainer(network, lambda _step: batch, Objective(settings=TrainSettings(steps=1000, learning_rate=1e-5)))
