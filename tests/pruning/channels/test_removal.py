"""A network without its removed channels computes what the masked one computes, as plain modules."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from disparsity.base.errors import InputError
from disparsity.pruning.channels.masks import apply_channel_masks
from disparsity.pruning.channels.removal import remove_channels
from disparsity.pruning.masks import attach_masks, masks_of, set_masks, zero_pruned

IMAGE = torch.rand(2, 1, 6, 6, generator=torch.Generator().manual_seed(3))
CHOICES = [
    torch.tensor(bits) for bits in itertools.product([False, True], repeat=5) if not all(bits[:3]) and not all(bits[3:])
]


@pytest.mark.parametrize("removed", CHOICES)
def test_masked_and_removed_are_equal(network: nn.Module, coupling: Any, removed: Tensor) -> None:
    apply_channel_masks(network, coupling, removed)
    small = copy.deepcopy(network)
    remove_channels(small, coupling, removed)
    torch.testing.assert_close(small(IMAGE), network(IMAGE), rtol=1e-5, atol=1e-5)
    skip, inner = 3 - int(removed[:3].sum()), 2 - int(removed[3:].sum())
    assert small.inner.weight.shape == (inner, skip, 3, 3)
    assert small.outer.weight.shape == (inner, skip, 3, 3)
    assert (small.enter.out_channels, small.outer.in_channels, small.norm.num_features) == (skip, inner, inner)
    assert masks_of(small) == {}


def test_the_result_is_plain_and_trains(network: nn.Module, coupling: Any) -> None:
    removed = torch.tensor([True, False, False, False, True])
    apply_channel_masks(network, coupling, removed)
    remove_channels(network, coupling, removed)
    assert masks_of(network) == {}
    assert {type(module) for module in network.children()} == {nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d}
    assert not any("parametrizations" in name for name in network.state_dict())
    network.train()(IMAGE).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert copy.deepcopy(network)(IMAGE).shape == (2, 1, 6, 6)


def test_what_is_kept_keeps_its_values(network: nn.Module, coupling: Any) -> None:
    before = copy.deepcopy(network)
    remove_channels(network, coupling, torch.tensor([False, True, False, True, False]))
    assert torch.equal(network.enter.bias, before.enter.bias[[0, 2]])
    assert torch.equal(network.inner.weight, before.inner.weight[1:][:, [0, 2]])
    assert torch.equal(network.norm.running_mean, before.norm.running_mean[1:])
    assert network.norm.num_batches_tracked.shape == ()


def test_the_original_survives_the_removal_from_a_copy(network: nn.Module, coupling: Any) -> None:
    removed = torch.tensor([True, False, False, True, False])
    apply_channel_masks(network, coupling, removed)
    expected = network(IMAGE)
    remove_channels(copy.deepcopy(network), coupling, removed)
    assert torch.equal(network(IMAGE), expected)


def test_masks_of_single_weights_stay(network: nn.Module, coupling: Any) -> None:
    attach_masks(network, ["inner"])
    mask = torch.rand(2, 3, 3, 3) > 0.5
    set_masks(network, {"inner": mask})
    zero_pruned(network)
    remove_channels(network, coupling, torch.tensor([True, False, False, False, False]))
    assert torch.equal(masks_of(network)["inner"], mask[:, 1:])


def test_frozen_parameters_stay_frozen(network: nn.Module, coupling: Any) -> None:
    network.enter.weight.requires_grad_(requires_grad=False)
    remove_channels(network, coupling, torch.tensor([True, False, False, False, False]))
    assert not network.enter.weight.requires_grad
    assert network.inner.weight.requires_grad


def test_an_emptied_layer_is_refused(network: nn.Module, coupling: Any) -> None:
    with pytest.raises(InputError, match="inner: a layer would be left without channels"):
        remove_channels(network, coupling, torch.tensor([False, False, False, True, True]))


def test_unequal_groups_are_refused(network: nn.Module, coupling: Any, hand_made: Any) -> None:
    fields = {name: getattr(coupling, name) for name in ("outputs", "inputs", "channelwise", "units")}
    balanced = hand_made(**fields, balanced=[[[0], [1]]])
    with pytest.raises(InputError, match="differ in size"):
        remove_channels(network, balanced, torch.tensor([True, False, False, False, False]))


class Doubled(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return 2 * weight


def test_other_parametrizations_are_refused(network: nn.Module, coupling: Any) -> None:
    parametrize.register_parametrization(network.inner, "weight", Doubled())
    with pytest.raises(InputError, match="remove channels before"):
        remove_channels(network, coupling, torch.tensor([True, False, False, False, False]))
