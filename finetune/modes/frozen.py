"""Mode `frozen`: pruned weights stay zero."""

from __future__ import annotations

import torch
from torch import nn

from disparsity.finetune.modes.base import Mode, clear_pruned_moments
from disparsity.pruning.masks import zero_pruned


class Frozen(Mode):
    """Pruned weights are zero for good; their gradient and optimizer state are zero too."""

    def after_event(self, network: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        """Zero what was pruned."""
        zero_pruned(network)
        clear_pruned_moments(network, optimizer)
