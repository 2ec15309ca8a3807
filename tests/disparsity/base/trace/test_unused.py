"""Modules that never run."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from disparsity.base.trace.dry_run import trace_network
from disparsity.base.trace.unused import unused_modules


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.dead = nn.Conv2d(3, 4, 1), nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))
        self.choice = nn.ModuleDict({"used": nn.Conv2d(4, 4, 1), "not": nn.Linear(4, 4)})
        self.read, self.twin, self.act = nn.Linear(4, 4), nn.Conv2d(3, 4, 1), nn.ReLU()
        self.twin.weight = self.first.weight

    def forward(self, values: Tensor) -> Tensor:
        return torch.einsum("nchw,oc->nohw", self.choice["used"](self.first(values)), self.read.weight)


def test_outermost_modules_whose_parameters_nothing_reads() -> None:
    network = Network()
    assert unused_modules(network, trace_network(network, (torch.rand(1, 3, 4, 4),))) == ("dead", "choice.not")
