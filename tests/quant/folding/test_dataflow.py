from __future__ import annotations

import gc

import torch
from torch import Tensor, nn

from disparsity.quant.folding.dataflow import record_dataflow


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
    flow = record_dataflow(network, (torch.rand(4, 3),), producers=(nn.Linear,), consumers=(nn.BatchNorm1d,))
    assert flow.readers == {network.split: [None], network.unused: [None], network.private: [network.norm]}
    assert flow.sources == {network.norm: {network.private}, network.other: {network.split}, network.loose: {None}}
    assert network.training
