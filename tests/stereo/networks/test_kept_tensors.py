"""Kept tensors: caches outside of a network are noticed, attributes of its modules are not meant."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import Tensor, nn

from disparsity.stereo.networks.kept_tensors import keeps_tensors

TABLE: dict[int, Tensor] = {}


@functools.cache
def cached(size: int) -> Tensor:
    return torch.arange(size)


class Keeping(nn.Module):
    """Keeps a constant in the given way; `smallest` is the least height that it takes."""

    def __init__(self, way: str, smallest: int = 0) -> None:
        super().__init__()
        self.way, self.smallest = way, smallest
        self.norm = nn.BatchNorm2d(3)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        assert left.shape[-2] >= self.smallest
        size = left.shape[-1]
        if self.way == "table":
            TABLE.setdefault(size, torch.arange(size))
        elif self.way == "function":
            cached(size)
        elif self.way == "attribute":
            self.own = torch.arange(size)
        return self.norm(left - right)


@pytest.fixture(autouse=True)
def _empty() -> None:
    TABLE.clear()
    cached.cache_clear()


@pytest.mark.parametrize(
    ("way", "expected"), [("table", True), ("function", True), ("attribute", False), ("nowhere", False)]
)
def test_tensors_that_outlive_a_network(way: str, expected: bool) -> None:
    assert keeps_tensors(Keeping(way), 16) == expected


def test_a_larger_size_is_tried_where_a_small_one_fails() -> None:
    assert keeps_tensors(Keeping("table", smallest=100), 4)
    assert not keeps_tensors(Keeping("table", smallest=1000), 4)


def test_the_network_and_the_random_numbers_stay_as_they_were() -> None:
    network, state = Keeping("table"), torch.random.get_rng_state()
    before = network.norm.running_mean.clone()
    keeps_tensors(network, 4)
    assert torch.equal(network.norm.running_mean, before)
    assert network.training
    assert torch.equal(torch.random.get_rng_state(), state)
