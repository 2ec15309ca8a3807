"""The sweep against a loop over pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from disparsity.stereo.blocks.propagation import bounded_gates, propagate


def naive(values: Tensor, gates: Tensor) -> Tensor:
    batch, channels, height, width = values.shape
    result = torch.zeros_like(values)
    for b, c, x, y in ((b, c, x, y) for b in range(batch) for c in range(channels) for x in range(width) for y in range(height)):  # fmt: skip  # noqa: E501
        total, mixed = 0.0, 0.0
        for number, k in enumerate((-1, 0, 1)):
            if x > 0 and 0 <= y + k < height:
                gate = float(gates[b, number * channels + c, y, x])
                total, mixed = total + gate, mixed + gate * float(result[b, c, y + k, x - 1])
        result[b, c, y, x] = (1 - total) * values[b, c, y, x] + mixed
    return result


def test_equals_the_loop() -> None:
    torch.manual_seed(0)
    values, gates = torch.randn(2, 2, 4, 5), bounded_gates(torch.randn(2, 6, 4, 5))
    torch.testing.assert_close(propagate(values, gates), naive(values, gates))


def test_gates_are_bounded_over_the_three_neighbours_of_a_channel() -> None:
    raw = torch.tensor([3.0, 0.0, -1.0, 0.0, 4.0, 0.0]).view(1, 6, 1, 1)
    gates = bounded_gates(raw).flatten()
    torch.testing.assert_close(gates, torch.tensor([3 / 8, 0, -1 / 8, 0, 4 / 8, 0]))


def test_a_gate_of_one_carries_the_first_column_through_and_none_changes_nothing() -> None:
    values = torch.randn(1, 1, 3, 6)
    gates = torch.zeros(1, 3, 3, 6)
    assert torch.equal(propagate(values, gates), values)
    gates[:, 1] = 1.0
    assert torch.equal(propagate(values, gates), values[..., :1].expand_as(values))
    assert torch.equal(propagate(values[..., :1], gates[..., :1]), values[..., :1])
