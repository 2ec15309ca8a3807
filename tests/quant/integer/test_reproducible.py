from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from disparsity.quant.integer.reproducible import make_reproducible


class Watching(nn.Module):
    """Remembers what it is called with and on how many threads."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[int, int]] = []

    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        self.calls.append((len(left), torch.get_num_threads()))
        if left.sum() > 1e6:
            raise ValueError("too large")
        return left + right, {"first": left[:, 0]}


@pytest.fixture
def watching() -> Watching:
    network = Watching()
    make_reproducible(network)
    return network


def test_samples_run_one_by_one_on_one_thread(watching: Watching) -> None:
    left, right, threads = torch.rand(3, 4), torch.rand(3, 4), torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        total, parts = watching(left, right)
        assert torch.get_num_threads() == 2
        with pytest.raises(ValueError, match="too large"):
            watching(left + 1e6, right)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert watching.calls == [(1, 1)] * 4
    assert torch.equal(total, left + right)
    assert torch.equal(parts["first"], left[:, 0])


def test_what_is_no_batch_reaches_the_network_as_it_is(watching: Watching) -> None:
    with pytest.raises(RuntimeError, match="size"):
        watching(torch.rand(3, 4), torch.rand(2, 4))
    assert [length for length, _ in watching.calls] == [3]


def test_it_is_still_of_its_class_and_can_be_copied(watching: Watching) -> None:
    assert isinstance(watching, Watching)
    assert type(watching).__name__ == "Watching"
    twin = copy.deepcopy(watching)
    twin(torch.rand(2, 4), torch.rand(2, 4))
    assert (len(twin.calls), len(watching.calls)) == (2, 0)
