"""Steps of training, scoring, quantization and reconstruction: how long one takes, and the most memory it needs."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import torch
from harness.clock import load
from harness.rows import Case

from device_steps.clock import Clock
from disparsity.base.devices import choose_device, use_device
from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.channels_last import use_channels_last
from disparsity.finetune.modes.frozen import Frozen
from disparsity.finetune.objective import Objective
from disparsity.finetune.reconstruction.reconstructor import Reconstructor
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.sparse.hook import SparseComputation
from disparsity.finetune.sparsify import Sparsify
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.masks import attach_masks, masks_of, set_masks, zero_pruned
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.scores.taylor import taylor_pass
from disparsity.pruning.settings import PruneSettings
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.quant.quantizers.registry import QUANTIZERS
from disparsity.quant.quantizers.settings import MaxStepSettings
from disparsity.quant.settings import BitSettings
from disparsity.run.stages.layer_bits import bits_of
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network

POSITIONS = 4000
FAR = 1_000_000
"""Steps of a pruning phase: no event falls among those that are measured."""


def measure(case: Case, steps: int) -> dict[str, Any]:
    """Milliseconds of every step after the first, their median, and peak memory in MB; or `error`."""
    device = choose_device(case["device"], "--device")
    use_device(device)
    torch.manual_seed(0)
    network = build_network(case["network"])
    network = (use_channels_last(network) if case.get("channels_last", True) else network).to(device)
    batch = _batch(case, network.spec.max_disparity).to(device)
    clock = Clock(device)
    clock.forget()
    before = load()
    try:
        TASKS[case["task"]](case, network, batch, clock, steps)
    except torch.OutOfMemoryError:
        return {"error": "out of memory"}
    return {
        "ms": statistics.median(clock.ms[1:]),
        "all_ms": [round(one, 2) for one in clock.ms],
        "peak_mb": clock.peak_mb(),
        "load": (before, load()),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
    }


def _batch(case: Case, most: int) -> Batch:
    generator = torch.Generator().manual_seed(1)
    left, right = torch.rand(2, case["batch"], 3, *case["size"], generator=generator).unbind()
    truth = 0.9 * most * torch.rand(case["batch"], *case["size"], generator=generator)
    return Batch(left=left, right=right, disparity=truth, valid=truth > 1, ids=("",) * case["batch"])


def _objective(case: Case, steps: int) -> Objective:
    changes = {key: case[key] for key in ("recompute_3d", "accumulate") if key in case}
    return Objective(settings=TrainSettings(steps=steps, precision=case.get("precision", "float32"), **changes))


def _train(
    case: Case, network: StereoNetwork, batch: Batch, clock: Clock, steps: int, hooks: tuple[StepHook, ...] = ()
) -> None:
    Trainer(network, lambda _step: batch, _objective(case, steps), [clock, *hooks]).run("train")


def _score(case: Case, network: StereoNetwork, batch: Batch, clock: Clock, steps: int) -> None:
    layers = prunable_layers(network, network.spec.protected)
    attach_masks(network, layers)
    objective = _objective(case, steps)
    for _ in range(steps):
        clock.start()
        taylor_pass(network, layers, lambda _index: objective(network, batch), 1)
        clock.lap()


def _masked(case: Case, network: StereoNetwork, batch: Batch, clock: Clock, steps: int) -> None:
    """Random masks of one sparsity in every layer, and the hook that gathers Taylor scores for a later event."""
    layers = prunable_layers(network, network.spec.protected)
    attach_masks(network, layers)
    masks = masks_of(network)
    set_masks(
        network, {name: torch.rand_like(mask, dtype=torch.float) >= case["sparsity"] for name, mask in masks.items()}
    )
    zero_pruned(network)
    settings = PruneSettings(sparsity=0.999, events=1)
    hook = Sparsify(layers, settings, FAR, Frozen(), dict.fromkeys(layers, 1.0), None)
    sparse = (SparseComputation(),) if case.get("sparse") else ()
    clock.forget()
    _train(case, network, batch, clock, steps, (hook, *sparse))


def _quantized(case: Case, network: StereoNetwork, batch: Batch, clock: Clock, steps: int) -> None:
    """Behind quantizers of W4 A8, ternary ones of 2 bits."""
    quantizer = case.get("quantizer", "lsq")
    one = batch.split(len(batch.ids))[0]
    fold_batchnorm(network, (one.left, one.right))
    ternary = quantizer == "ternary"
    first_steps = {"scale" if ternary else "initialisation": MaxStepSettings()}
    bits = bits_of(network, BitSettings(weight_bits=2 if ternary else 4))
    attach_quantizers(network, bits, quantizer=QUANTIZERS[quantizer].settings(**first_steps))
    calibrate(network, [(one.left, one.right)])
    clock.forget()
    _train(case, network, batch, clock, steps)


def _reconstruct(case: Case, network: StereoNetwork, batch: Batch, clock: Clock, steps: int) -> None:
    """All layers solved against the network itself; on CPUs and GPUs alike the time goes into small factorizations."""
    attach_masks(network, prunable_layers(network, network.spec.protected))
    dense = build_network(case["network"]).to(batch.left.device)
    pair = batch.split(len(batch.ids))[0]
    solver = Reconstructor(network.eval(), dense, pair, positions=POSITIONS, ridge=1e-2, seed=0)
    for _ in range(2):
        clock.start()
        solver.solve()
        clock.lap()


TASKS: dict[str, Callable[[Case, StereoNetwork, Batch, Clock, int], None]] = {
    "train": _train,
    "score": _score,
    "masked": _masked,
    "quantized": _quantized,
    "reconstruct": _reconstruct,
}
