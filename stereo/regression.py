"""From a cost volume to disparity."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SoftArgmin(nn.Module):
    """Expected disparity index under softmax of the negated cost.

    Source: GC-Net (Kendall et al., ICCV 2017), equation 1. Always in float32: quantizing it makes checkerboards.
    """

    workload_kind = "soft_argmin"

    def forward(self, cost: Tensor) -> Tensor:
        """From cost ``[B, D, H, W]`` to the expected index ``[B, H, W]`` in 0..D-1."""
        probability = torch.softmax(-cost.float(), dim=1)
        index = torch.arange(cost.shape[1], device=cost.device, dtype=torch.float32)
        return torch.einsum("bdhw,d->bhw", probability, index)
