"""A residual network of three coupled units, its coupling written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class HandMade:
    """A coupling that nobody traced."""

    outputs: Mapping[str, Sequence[int]]
    inputs: Mapping[str, Sequence[int]]
    channelwise: Mapping[str, Sequence[int]] = field(default_factory=dict)
    balanced: Sequence[Sequence[Sequence[int]]] = ()
    averages: Mapping[str, int] = field(default_factory=dict)
    units: int


class Residual(nn.Module):
    """Units 0..2 on the skip, 3..4 inside the block."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv2d(1, 3, 3, padding=1)
        self.inner = nn.Conv2d(3, 2, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(2)
        self.outer = nn.ConvTranspose2d(2, 3, 3, padding=1)
        self.last = nn.Conv2d(3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        features = self.enter(x)
        return self.last(features + self.outer(torch.relu(self.norm(self.inner(features)))))


COUPLING = HandMade(
    outputs={"enter": (0, 1, 2), "inner": (3, 4), "outer": (0, 1, 2), "last": (-1,)},
    inputs={"enter": (-1,), "inner": (0, 1, 2), "outer": (3, 4), "last": (0, 1, 2)},
    channelwise={"norm": (3, 4)},
    units=5,
)


@pytest.fixture
def network() -> nn.Module:
    """In eval mode, with BatchNorm statistics that matter."""
    torch.manual_seed(2)
    network = Residual()
    with torch.no_grad():
        network.norm.running_mean.copy_(torch.tensor([0.3, -0.2]))
        network.norm.running_var.copy_(torch.tensor([2.0, 0.5]))
        network.norm.bias.copy_(torch.tensor([0.4, 0.7]))
    return network.eval()


@pytest.fixture
def coupling() -> HandMade:
    """Of `network`."""
    return COUPLING


@pytest.fixture
def hand_made() -> type[HandMade]:
    """For couplings of other networks."""
    return HandMade
