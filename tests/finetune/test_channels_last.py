"""Channels-last memory changes layouts, not numbers."""

from __future__ import annotations

from typing import Any

import torch

from disparsity.finetune.channels_last import use_channels_last
from disparsity.pruning.masks import attach_masks


def test_same_values_and_outputs_in_another_layout(network: Any) -> None:
    plain, fast = network().eval(), use_channels_last(network().eval())
    for (name, first), second in zip(plain.named_parameters(), fast.parameters(), strict=True):
        assert torch.equal(first, second), name
    assert fast.refine[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert fast.cost_volume_filter[0].conv3d.weight.is_contiguous(memory_format=torch.channels_last_3d)
    views = torch.rand(2, 1, 3, 32, 64)
    with torch.no_grad():
        for first, second in zip(plain(*views), fast(*views), strict=True):
            torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-4)


def test_masked_layers_stay_masked_and_trainable(network: Any) -> None:
    net = network()
    attach_masks(net, ["refine.0"])
    before = [id(parameter) for parameter in net.parameters()]
    assert use_channels_last(net) is net
    assert [id(parameter) for parameter in net.parameters()] == before
    assert net.refine[0].parametrizations.weight.original.is_contiguous(memory_format=torch.channels_last)
