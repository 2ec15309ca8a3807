"""Positional calls: what hooks see of arguments that are passed by name."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from disparsity.stereo.networks.positional import call_by_position


class Sum(nn.Module):
    def forward(self, first: Tensor, second: Tensor, *, scale: float = 1.0) -> Tensor:
        return scale * (first - second)


class Outer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.layer = Sum(), nn.Conv2d(1, 1, 1)

    def forward(self, view: Tensor) -> Tensor:
        return self.inner(second=self.layer(input=view), first=view, scale=3.0)


def test_hooks_see_arguments_by_position_in_order() -> None:
    network, view = Outer(), torch.rand(1, 1, 2, 2)
    expected = network(view)
    call_by_position(network)
    call_by_position(network)
    network = copy.deepcopy(network)
    assert [len(module._forward_pre_hooks) for module in network.modules()] == [1, 1, 1]
    seen: dict[str, tuple[Any, ...]] = {}
    network.layer.register_forward_pre_hook(lambda _module, args: seen.update(layer=args))
    network.inner.register_forward_pre_hook(lambda _module, args: seen.update(inner=args))
    assert torch.equal(network(view=view), expected)
    assert seen["layer"][0] is view
    assert [value is view for value in seen["inner"]] == [True, False]


def test_a_wrong_call_keeps_its_own_message() -> None:
    network = Sum()
    call_by_position(network)
    with pytest.raises(TypeError, match="unexpected keyword argument 'third'"):
        network(torch.ones(1), third=torch.ones(1))
