"""Pruning events on a synthetic network of more than 10^8 weights, as the training loop holds them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

from cost.clock import load, peak_mb, resident_mb, timed
from disparsity.base.layers import trained_weight
from disparsity.finetune.modes.frozen import Frozen
from disparsity.finetune.sparsify import Sparsify
from disparsity.pruning.masks import attach_masks, masks_of
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.settings import PruneSettings

LAYERS, CHANNELS = 43, 512
EVENTS, STEPS = 5, 4
SETTINGS = PruneSettings(sparsity=0.97, first_sparsity=0.5, events=EVENTS)
QUIET = 1e-6
"""Factor on the gradients of the layer that falls below its floor."""


def measure(quiet_layer: bool) -> dict[str, Any]:
    """Times of events and of taking gradients into running scores.

    Args:
        quiet_layer: one layer matters so little that its floor is what keeps it, which takes a second selection.

    """
    network = _network()
    layers = prunable_layers(network)
    attach_masks(network, layers)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    generator = torch.Generator().manual_seed(0)
    for number, layer in enumerate(layers.values()):
        weight = trained_weight(layer)
        weight.grad = torch.empty_like(weight).normal_(generator=generator)
        weight.grad *= QUIET if quiet_layer and number == 0 else 1.0
    adam, _ = timed(optimizer.step)
    before = resident_mb()
    hook = Sparsify(layers, SETTINGS, EVENTS, Frozen(), dict.fromkeys(layers, 1.0), None)
    trainer: Any = SimpleNamespace(network=network, optimizer=optimizer)
    steps = [timed(lambda: hook.after_backward(trainer, 0))[0] for _ in range(STEPS)]
    scores_mb = resident_mb() - before
    held = load(), peak_mb()
    events = [timed(lambda: hook._event(trainer))[0] for _ in range(EVENTS)]
    return {
        "weights": sum(trained_weight(layer).numel() for layer in layers.values()),
        "kept": sum(int(mask.sum()) for mask in masks_of(network).values()),
        "kept_in_first": int(next(iter(masks_of(network).values())).sum()),
        "adam": vars(adam),
        "steps": [vars(step) for step in steps],
        "scores_mb": scores_mb,
        "scores_bytes": sum(t.numel() * t.element_size() for t in hook.state().values() if t.dim()),
        "events": [vars(event) for event in events],
        "load": (held[0], load()),
        "before_mb": held[1],
        "peak_mb": peak_mb(),
    }


def _network() -> nn.Module:
    with torch.device("meta"):  # no time for an initialisation that is overwritten
        network = nn.Sequential(*(nn.Conv2d(CHANNELS, CHANNELS, 3, bias=False) for _ in range(LAYERS)))
    network.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(1)
    for parameter in network.parameters():
        parameter.data.normal_(generator=generator)
    return network
