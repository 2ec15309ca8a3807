"""A training step of the reference network: plain, and with what stage one adds to it."""

from __future__ import annotations

from typing import Any

import torch

from cost.clock import Taken, load, median, ratio, timed
from disparsity.checkpoint.restore import open_network
from disparsity.datasets.batches.stream import Batch, TrainingStream
from disparsity.datasets.uri import open_data
from disparsity.finetune.channels_last import use_channels_last
from disparsity.finetune.modes.frozen import Frozen
from disparsity.finetune.objective import Objective
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.sparse.hook import SparseComputation
from disparsity.finetune.sparsify import Sparsify
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.masks import attach_masks, masks_of, set_masks, zero_pruned
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.settings import PruneSettings
from disparsity.stereo.network import StereoNetwork

DATA = "synthetic:?pairs=4&size=96x192&seed=1&max_disparity=48"
SPARSITY = 0.97
WARM_UP = 3
FAR = 1_000_000
"""Steps of the phase: no pruning event falls among those that are measured."""


def measure(rounds: int) -> dict[str, Any]:
    """Median times of every kind of step, and their ratios to the plain step of the same round."""
    batch = TrainingStream([open_data(DATA)], (1.0,), 4, None, 0).next_batch(0)
    trainers = {
        "plain": _trainer(batch, sparsity=None),
        "plain, a second network (noise of the measurement)": _trainer(batch, sparsity=None),
        "masks (nothing removed) and Taylor scores, dense kernels": _trainer(batch, sparsity=0.0),
        "masks (97 % removed) and Taylor scores, dense kernels": _trainer(batch, sparsity=SPARSITY),
        "masks (97 % removed) and Taylor scores, sparse kernels": _trainer(batch, sparsity=SPARSITY, sparse=True),
    }
    taken: dict[str, list[Taken]] = {name: [] for name in trainers}
    before = load()
    for number in range(rounds + WARM_UP):
        for name, trainer in _turned(trainers, number):
            one, _ = timed(lambda trainer=trainer, number=number: trainer._one_step(number))
            if number >= WARM_UP:
                taken[name].append(one)
    rows = {name: (median(times), ratio(times, taken["plain"])) for name, times in taken.items()}
    return {"rows": rows, "load": (before, load()), "rounds": rounds}


def _turned(trainers: dict[str, Trainer], number: int) -> list[tuple[str, Trainer]]:
    """Every round begins with another one, so that none always follows the same neighbour."""
    items = list(trainers.items())
    first = number % len(items)
    return items[first:] + items[:first]


def _trainer(batch: Batch, *, sparsity: float | None, sparse: bool = False) -> Trainer:
    network = use_channels_last(open_network("builtin:reference", None))
    hooks: list[StepHook] = [] if sparsity is None else [_stage_one(network, sparsity)]
    hooks += [SparseComputation()] if sparse else []
    return Trainer(network, lambda _step: batch, Objective(settings=TrainSettings(steps=FAR)), hooks)


def _stage_one(network: StereoNetwork, sparsity: float) -> Sparsify:
    """Random masks of this sparsity in every layer, and the hook that gathers scores for a later event."""
    layers = prunable_layers(network, network.spec.protected)
    attach_masks(network, layers)
    generator = torch.Generator().manual_seed(0)
    set_masks(network, {n: torch.rand(m.shape, generator=generator) >= sparsity for n, m in masks_of(network).items()})
    zero_pruned(network)
    settings = PruneSettings(sparsity=0.999, events=1)
    return Sparsify(layers, settings, FAR, Frozen(), dict.fromkeys(layers, 1.0), None)
