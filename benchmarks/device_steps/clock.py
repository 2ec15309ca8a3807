"""Clock of a device: time between steps once the device has done what it was given, and peak memory."""

from __future__ import annotations

import gc
import time

import torch
from harness.clock import peak_mb

from disparsity.finetune.training import StepHook, Trainer


class Clock(StepHook):
    """Times between steps, when the device has done what it was given."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._last = 0.0
        self.ms: list[float] = []

    def _now(self) -> float:
        """By the wall where a device computes, by the processor where that does, which others use too."""
        return time.process_time() if self._device.type == "cpu" else time.perf_counter()

    def start(self) -> None:
        """Begin a step."""
        self._wait()
        self._last = self._now()

    def lap(self) -> None:
        """End a step."""
        self._wait()
        self.ms.append((self._now() - self._last) * 1e3)

    def before_step(self, trainer: Trainer, step: int) -> None:  # noqa: D102 - as the hook says
        self.start()

    def after_step(self, trainer: Trainer, step: int, loss: float) -> None:  # noqa: D102 - as the hook says
        self.lap()

    def forget(self) -> None:
        """Peak memory counts from here, where the device can forget."""
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self._device)

    def peak_mb(self) -> float:
        """The most memory since then, in MB."""
        on_gpu = self._device.type == "cuda"
        return torch.cuda.max_memory_allocated(self._device) / 2**20 if on_gpu else peak_mb()

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
