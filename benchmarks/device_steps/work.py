"""One measurement: how long a step takes, and the most memory that it needs."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from cost.clock import load, peak_mb

from device_steps.cases import Case
from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.channels_last import use_channels_last
from disparsity.finetune.objective import Objective
from disparsity.finetune.reconstruction.least_squares import ReconstructSettings
from disparsity.finetune.reconstruction.reconstructor import Reconstructor
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.masks import attach_masks
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.scores.taylor import taylor_pass
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.recipe.recipe import QuantizeSection
from disparsity.run.stages.layer_bits import bits_of
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network

POSITIONS = 4000


def measure(case: Case, device: torch.device, steps: int) -> dict[str, Any]:
    """Milliseconds of every step after the first, their median, and peak memory in MB."""
    torch.manual_seed(0)
    network = build_network(case.network)
    network = (use_channels_last(network) if case.channels_last else network).to(device)
    batch = _batch(case, network.spec.max_disparity).to(device)
    clock = _Clock(device)
    clock.forget()
    before = load()
    TASKS[case.task](case, network, batch, clock, steps)
    return {
        "ms": statistics.median(clock.ms[1:]),
        "all_ms": [round(one, 2) for one in clock.ms],
        "peak_mb": clock.peak_mb(),
        "load": (before, load()),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
    }


class _Clock(StepHook):
    """Times between steps, when the device has done what it was given."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._last = 0.0
        self.ms: list[float] = []

    def _now(self) -> float:
        """By the wall where a device computes, by the processor where that does, which others use too."""
        return time.process_time() if self._device.type == "cpu" else time.perf_counter()

    def start(self) -> None:
        self._wait()
        self._last = self._now()

    def lap(self) -> None:
        self._wait()
        self.ms.append((self._now() - self._last) * 1e3)

    def before_step(self, trainer: Trainer, step: int) -> None:
        self.start()

    def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
        self.lap()

    def forget(self) -> None:
        """Peak memory counts from here, where the device can forget."""
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self._device)

    def peak_mb(self) -> float:
        on_gpu = self._device.type == "cuda"
        return torch.cuda.max_memory_allocated(self._device) / 2**20 if on_gpu else peak_mb()

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def _batch(case: Case, most: int) -> Batch:
    generator = torch.Generator().manual_seed(1)
    left, right = torch.rand(2, case.batch, 3, *case.size, generator=generator).unbind()
    truth = 0.9 * most * torch.rand(case.batch, *case.size, generator=generator)
    return Batch(left=left, right=right, disparity=truth, valid=truth > 1, ids=("",) * case.batch)


def _objective(case: Case, steps: int) -> Objective:
    settings = TrainSettings(
        steps=steps, precision=case.precision, recompute_3d=case.recompute_3d, accumulate=case.accumulate
    )
    return Objective(settings=settings)


def _train(case: Case, network: StereoNetwork, batch: Batch, clock: _Clock, steps: int) -> None:
    Trainer(network, lambda _step: batch, _objective(case, steps), [clock]).run("train")


def _score(case: Case, network: StereoNetwork, batch: Batch, clock: _Clock, steps: int) -> None:
    layers = prunable_layers(network, network.spec.protected)
    attach_masks(network, layers)
    objective = _objective(case, steps)
    for _ in range(steps):
        clock.start()
        taylor_pass(network, layers, lambda _index: objective(network, batch), 1)
        clock.lap()


def _quantized(case: Case, network: StereoNetwork, batch: Batch, clock: _Clock, steps: int) -> None:
    one = batch.split(len(batch.ids))[0]
    fold_batchnorm(network, (one.left, one.right))
    attach_quantizers(network, bits_of(network, QuantizeSection()), initialisation="max")
    calibrate(network, [(one.left, one.right)])
    clock.forget()
    _train(case, network, batch, clock, steps)


def _reconstruct(case: Case, network: StereoNetwork, batch: Batch, clock: _Clock, steps: int) -> None:
    """All layers solved against the network itself; on CPUs and GPUs alike the time goes into small factorizations."""
    attach_masks(network, prunable_layers(network, network.spec.protected))
    dense = build_network(case.network).to(batch.left.device)
    settings = ReconstructSettings(positions=POSITIONS, ridge=1e-2)
    solver = Reconstructor(network.eval(), dense, batch.split(len(batch.ids))[0], settings, 0)
    for _ in range(2):
        clock.start()
        solver.solve()
        clock.lap()


TASKS: dict[str, Callable[[Case, StereoNetwork, Batch, _Clock, int], None]] = {
    "train": _train,
    "score": _score,
    "quantized": _quantized,
    "reconstruct": _reconstruct,
}
