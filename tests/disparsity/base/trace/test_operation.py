"""Traced operations: names and tensors."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from disparsity.base.trace.dry_run import trace_network
from disparsity.base.trace.operation import Operation


class Chain(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        joined = torch.cat([values, values[:1]])
        return joined.view(-1).add_(1.0)


def test_names_views_and_tensors_of_operations() -> None:
    trace = trace_network(Chain(), (torch.rand(2, 3),))
    found = [event for event in trace.events if isinstance(event, Operation)]
    assert [(event.name, event.operator, event.is_view) for event in found] == [
        ("slice", "slice", True),
        ("cat", "cat", False),
        ("view", "view", True),
        ("add_", "add", False),
    ]
    piece, joined, flat, added = found
    assert joined.read == (*piece.read, *piece.made)
    assert joined.made[0].shape == (3, 3)
    assert (flat.made[0].storage, flat.made[0].numel()) == (joined.made[0].storage, 9)
    assert flat.made[0].number != joined.made[0].number
    assert added.made == added.read == flat.made == trace.outputs


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_types_are_those_of_the_tensors(dtype: torch.dtype) -> None:
    assert trace_network(Chain(), (torch.rand(2, 3, dtype=dtype),)).outputs[0].dtype == dtype
