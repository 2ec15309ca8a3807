"""Mode `reconstruct`: layers are solved by least squares at every event."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import nn

from disparsity.finetune.modes.frozen import Frozen


class Solver(Protocol):
    """Solver of a network's layers; cached results are dropped when the weights change."""

    def solve(self) -> None: ...  # noqa: D102

    def forget(self) -> None: ...  # noqa: D102


class Reconstruct(Frozen):
    """Frozen, and after every event the survivors of each layer are solved by least squares."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver

    def after_backward(self, network: nn.Module) -> None:
        """A training step is about to move the weights."""
        del network
        self._solver.forget()

    def after_event(self, network: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        """Zero what was pruned, then reproduce the dense layers' outputs."""
        super().after_event(network, optimizer)
        self._solver.solve()
