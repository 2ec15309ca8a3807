"""Scoring, masking, packing and cost of a StereoNet of a given number of weights."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from harness.clock import load, peak_mb, resident_mb, timed

from disparsity.base.layers import trained_weight
from disparsity.checkpoint.packed import write_network
from disparsity.finetune.modes.frozen import Frozen
from disparsity.finetune.sparsify import Sparsify
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.pruning.masks import attach_masks, set_masks, zero_pruned
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.scores.taylor import TaylorScore
from disparsity.pruning.settings import PruneSettings
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.finalise import finalise
from disparsity.quant.quantizers.settings import LSQSettings, MaxStepSettings
from disparsity.recipe.sections import QuantizeSection
from disparsity.report.cost_report import cost_report
from disparsity.run.stages.layer_bits import bits_of
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network

WIDTHS = {10**5: 16, 10**6: 50, 10**7: 158, 10**8: 500}
"""Channels of a StereoNet (8x) with about so many weights."""
SPARSITY = 0.97
SIZE = (32, 64)
ROUNDS = {"scoring": 2}
"""The last one counts: in the first step the system hands out the memory of the scores, page by page."""


def measure(kind: str, count: int) -> dict[str, Any]:
    """Processor seconds and memory beside the network of one kind of work."""
    torch.manual_seed(0)
    network = build_network("stereonet_8x", width=WIDTHS[count], refinement_width=WIDTHS[count], max_disparity=16)
    work = KINDS[kind](network)
    before, held = load(), resident_mb()
    taken = [timed(work) for _ in range(ROUNDS.get(kind, 1))][-1]
    size = sum(parameter.numel() for parameter in network.parameters())
    return {"size": size, **taken, "memory_mb": max(0.0, peak_mb() - held), "load": before}


def _scoring(network: StereoNetwork) -> Callable[[], object]:
    layers = _with_gradients(network)
    scores: list[TaylorScore] = []

    def work() -> None:
        if not scores:
            scores.append(TaylorScore(layers))
        scores[0].add_batch()

    return work


def _masking(network: StereoNetwork) -> Callable[[], object]:
    layers = _with_gradients(network)
    attach_masks(network, layers)
    for name, layer in layers.items():
        trained_weight(layer).grad = torch.randn_like(trained_weight(network.get_submodule(name)))
    settings = PruneSettings(sparsity=SPARSITY, events=1)
    hook = Sparsify(layers, settings, 1, Frozen(), dict.fromkeys(layers, 1.0), None)
    trainer: Any = SimpleNamespace(network=network, optimizer=None)
    hook.after_backward(trainer, 0)
    return lambda: hook._event(trainer)


def _packing(network: StereoNetwork) -> Callable[[], object]:
    _compress(network)
    write_network(Path(tempfile.mkdtemp()) / "warm.h5", _compressed_small())  # the coder is compiled
    return lambda: write_network(Path(tempfile.mkdtemp()) / "packed.h5", network)


def _cost(network: StereoNetwork) -> Callable[[], object]:
    _compress(network)
    machine = Machine(profile=load_profile("horowitz45"))
    cost_report(_compressed_small(), SIZE, machine)
    return lambda: cost_report(network, SIZE, machine)


KINDS: dict[str, Callable[[StereoNetwork], Callable[[], object]]] = {
    "scoring": _scoring,
    "masking": _masking,
    "packing": _packing,
    "cost": _cost,
}


def _with_gradients(network: StereoNetwork) -> dict[str, torch.nn.Module]:
    layers = prunable_layers(network, network.spec.protected)
    for layer in layers.values():
        weight = trained_weight(layer)
        weight.grad = torch.randn_like(weight)
    return layers


def _compressed_small() -> StereoNetwork:
    network = build_network("stereonet_8x", width=8, refinement_width=8, max_disparity=16)
    _compress(network)
    return network


def _compress(network: StereoNetwork) -> None:
    """Random weights, 3 % of them left, 4 bits, inputs in 8."""
    network.eval()
    layers = prunable_layers(network, network.spec.protected)
    attach_masks(network, layers)
    set_masks(network, {n: torch.rand_like(trained_weight(layer)) > SPARSITY for n, layer in layers.items()})
    zero_pruned(network)
    attach_quantizers(
        network, bits_of(network, QuantizeSection()), quantizer=LSQSettings(initialisation=MaxStepSettings())
    )
    views = torch.rand(2, 1, 3, *SIZE).unbind()
    calibrate(network, [views])
    finalise(network)
