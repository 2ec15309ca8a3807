from __future__ import annotations

import gc

import torch
from torch import Tensor, nn

from disparsity.base.trace.dry_run import trace_network
from disparsity.quant.folding.dataflow import dataflow


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.private = nn.Linear(3, 3)
        self.split = nn.Linear(3, 3)
        self.unused = nn.Linear(3, 3)
        self.norm = nn.BatchNorm1d(3)
        self.other = nn.BatchNorm1d(3)
        self.loose = nn.BatchNorm1d(3)

    def forward(self, values: Tensor) -> Tensor:
        for _ in range(50):  # many short-lived tensors, whose identities are used again
            values = values + 1.0
            gc.collect(0)
        split = self.split(values)
        self.unused(values)
        return self.norm(self.private(values)) + self.other(split) + split + self.loose(values)


def test_readers_and_sources() -> None:
    network = Branches()
    layers, norms = ("private", "split", "unused"), ("norm", "other", "loose")
    flow = dataflow(trace_network(network, (torch.rand(4, 3),)), producers=layers, consumers=norms)
    assert flow.readers == {"split": [None], "unused": [None], "private": ["norm"]}
    assert flow.sources == {"norm": {"private"}, "other": {"split"}, "loose": {None}}
    assert network.training
