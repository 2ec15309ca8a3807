"""Device transfer of training batches."""

from __future__ import annotations

import torch

from disparsity.datasets.batches.prefetch import BatchSource
from disparsity.datasets.batches.stream import Batch


class DeviceStream:
    """A stream whose batches arrive on a device; satisfies `BatchSource`.

    Args:
        source: makes the batches on the CPU.
        device: that computes with them.

    """

    def __init__(self, source: BatchSource, device: torch.device) -> None:
        self._source = source
        self._device = device

    def next_batch(self, step: int, count: int | None = None) -> Batch:
        """The batch of a step; `count` overrides the number of samples."""
        return self._source.next_batch(step, count).to(self._device)
