"""Running disparity error on the training batches, from maps that the loss needs anyway."""

from __future__ import annotations

import torch
from torch import Tensor

from disparsity.base.distributed import total
from disparsity.datasets.batches.stream import Batch


class RunningError:
    """Sums of errors until `take` reads them. Nothing is copied from the device before, so that no step waits."""

    def __init__(self) -> None:
        self.sums = torch.zeros(2, dtype=torch.float64)
        """Absolute errors in px, and pixels."""

    def add(self, estimate: Tensor, batch: Batch, max_disparity: float) -> None:
        """Take in a batch.

        Args:
            estimate: the finest map ``[B, H, W]`` in pixels; where it is not finite a step is skipped, and so is this.
            batch: with its ground truth, if it has any.
            max_disparity: ground truth of so many pixels or more is left out.

        """
        error = (estimate.detach().float() - batch.disparity).abs()
        known = batch.valid & (batch.disparity < max_disparity) & error.isfinite()
        sums = torch.stack([torch.where(known, error, 0.0).sum(dtype=torch.float64), known.sum().double()])
        self.sums = self.sums.to(sums.device) + sums

    def take(self) -> float | None:
        """EPE in px since the last call, over all processes; None where no pixel had ground truth."""
        error, pixels = total(self.sums).tolist()
        self.sums = torch.zeros_like(self.sums)
        return error / pixels if pixels else None
