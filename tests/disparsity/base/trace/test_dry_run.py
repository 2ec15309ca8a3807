"""Dry runs: modes, values, attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from disparsity.base.trace.dry_run import trace_network
from disparsity.base.trace.operation import Operation, Trace


def names_of(trace: Trace) -> list[str]:
    return [event.name for event in trace.events if isinstance(event, Operation)]


class Looks(nn.Module):
    """Reads a value."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(2)

    def forward(self, values: Tensor) -> Tensor:
        return self.norm(values) if values.sum().item() > 0 else values


def test_a_network_that_looks_at_values_computes_them() -> None:
    network = Looks()
    traces = [trace_network(network, (sign * torch.ones(4, 2),)) for sign in (1, -1)]
    ran = [any(event.stack[-1] == "norm" for event in trace.events) for trace in traces]
    assert ([trace.computed for trace in traces], ran) == ([True, True], [True, False])
    assert network.training
    assert int(network.norm.num_batches_tracked) == 0


def test_the_training_mode_runs_other_operations() -> None:
    network = nn.Sequential(nn.Dropout(), nn.BatchNorm1d(2)).eval()
    names = [names_of(trace_network(network, (torch.ones(4, 2),), training=training)) for training in (False, True)]
    assert ["bernoulli_" in each for each in names] == [False, True]
    assert not any(module.training for module in network.modules())


def test_deterministic_mode_is_back_afterwards() -> None:
    torch.use_deterministic_algorithms(mode=True)
    try:
        trace_network(nn.ReLU(), (torch.zeros(2),))
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(mode=False)


class Attends(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, values: Tensor) -> Tensor:
        values = values * values.mean().item()
        return self.attention(values, values, values, need_weights=False)[0]


def test_attention_is_seen_as_matrix_products() -> None:
    names = [
        event.name for event in trace_network(Attends(), (torch.rand(1, 5, 8),)).events if isinstance(event, Operation)
    ]
    assert "_native_multi_head_attention" not in names
    assert sum(name in ("mm", "addmm", "bmm", "baddbmm") for name in names) >= 2
    assert torch.backends.mha.get_fastpath_enabled()
