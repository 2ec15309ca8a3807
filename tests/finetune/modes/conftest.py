"""A layer with a mask, and a tiny network that is pruned in a mode while it trains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.modes.base import Mode
from disparsity.finetune.objective import Objective
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.sparse.hook import SparseComputation
from disparsity.finetune.sparsify import Sparsify
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.masks import attach_masks, set_masks
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.settings import PruneSettings


@pytest.fixture
def masked_layer() -> Callable[[list[bool]], nn.Sequential]:
    """Builds a network of one linear layer with the weights 1, 2, 3, ... and a mask."""

    def build(mask: list[bool]) -> nn.Sequential:
        network = nn.Sequential(nn.Linear(len(mask), 1, bias=False))
        with torch.no_grad():
            network[0].weight.copy_(torch.arange(1.0, len(mask) + 1)[None])
        attach_masks(network, ["0"])
        set_masks(network, {"0": torch.tensor([mask])})
        return network

    return build


@pytest.fixture
def pruned_by(network: Any, batches: Callable[[int], Batch]) -> Callable[..., Trainer]:
    """Builds a trainer of 10 steps with events before steps 3, 6 and 9, and sparse computation."""

    def build(mode: Mode, watch: StepHook | None = None, seed: int = 0, **changes: Any) -> Trainer:
        net = network(seed=seed)
        layers = prunable_layers(net, net.spec.protected)
        attach_masks(net, layers)
        settings = PruneSettings(**({"sparsity": 0.8, "events": 3, "event_fraction": 0.9} | changes))
        hook = Sparsify(layers, settings, 10, mode, dict.fromkeys(layers, 1.0), None)
        objective = Objective(settings=TrainSettings(steps=10, learning_rate=5e-3, lr_schedule="constant"))
        return Trainer(net, batches, objective, [hook, SparseComputation(), *([watch] if watch else [])])

    return build


@pytest.fixture
def run_to_end() -> Callable[[Trainer], Trainer]:
    """Takes all steps and ends the phase, as a stage does."""

    def run(trainer: Trainer) -> Trainer:
        trainer.run("test")
        for hook in trainer.hooks:
            hook.finish(trainer)
        return trainer

    return run
