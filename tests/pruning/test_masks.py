"""Masks: effective weights, gradients and optimizer state of pruned weights are exactly zero."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from disparsity.base.layers import trained_weight
from disparsity.pruning.masks import (
    attach_masks,
    density,
    mask_modules,
    masks_of,
    set_masks,
    zero_pruned,
)


def masked_network() -> tuple[nn.Sequential, dict[str, Tensor]]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Sequential(nn.Conv2d(3, 1, 1)))
    attach_masks(network, ["0", "1.0"])
    masks = {"0": torch.rand(3, 2, 3, 3) > 0.6, "1.0": torch.tensor([True, False, True]).view(1, 3, 1, 1)}
    return network, masks


def test_effective_weight_is_mask_times_trained_tensor() -> None:
    network, masks = masked_network()
    before = trained_weight(network[0]).detach().clone()
    assert torch.equal(network[0].weight, before)
    set_masks(network, masks)
    assert torch.equal(network[0].weight, before * masks["0"])
    assert torch.equal(trained_weight(network[0]), before)
    assert bool((network[0].weight[~masks["0"]] == 0).all())


def test_names_and_density() -> None:
    network, masks = masked_network()
    assert list(mask_modules(network)) == ["0", "1.0"]
    assert density(masks_of(network)) == 1.0
    set_masks(network, masks)
    assert {name: mask.tolist() for name, mask in masks_of(network).items()} == {
        n: m.tolist() for n, m in masks.items()
    }
    assert density(masks) == (int(masks["0"].sum()) + 2) / (54 + 3)
    assert density({}) == 1.0


def test_gradient_of_pruned_weights_is_zero_unless_straight_through() -> None:
    network, masks = masked_network()
    set_masks(network, masks)
    inputs = torch.randn(1, 2, 5, 5)
    network(inputs).sum().backward()
    gradient = trained_weight(network[0]).grad
    assert gradient is not None
    assert bool((gradient[~masks["0"]] == 0).all())
    plain = network(inputs)
    network.zero_grad()
    for module in mask_modules(network).values():
        module.straight_through = True
    torch.testing.assert_close(network(inputs), plain)
    network(inputs).sum().backward()
    through = trained_weight(network[0]).grad
    assert through is not None
    torch.testing.assert_close(through[masks["0"]], gradient[masks["0"]])
    assert bool((through[:, :, 0, 0][~masks["0"][:, :, 0, 0]] != 0).any())


def test_straight_through_keeps_pruned_effective_weights_exactly_zero() -> None:
    # weight + (masked - weight) rounds to zero exactly for pruned weights, and to the weight for live ones
    network, masks = masked_network()
    set_masks(network, masks)
    with torch.no_grad():
        trained_weight(network[0]).copy_(torch.randn(3, 2, 3, 3) * torch.logspace(-20, 20, 54).view(3, 2, 3, 3))
    mask_modules(network)["0"].straight_through = True
    assert bool((network[0].weight[~masks["0"]] == 0).all())
    assert torch.equal(network[0].weight[masks["0"]], trained_weight(network[0])[masks["0"]])


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_pruned_weights_and_their_adam_state_stay_exactly_zero_over_steps(weight_decay: float) -> None:
    network, masks = masked_network()
    set_masks(network, masks)
    zero_pruned(network)
    optimizer = torch.optim.Adam(network.parameters(), 0.05, weight_decay=weight_decay)
    for step in range(6):
        optimizer.zero_grad()
        network(torch.randn(2, 2, 5, 5)).square().sum().backward()
        optimizer.step()
        for name, mask in masks.items():
            trained = trained_weight(network.get_submodule(name))
            assert bool((trained[~mask] == 0).all()), step
            state = optimizer.state[trained]
            assert bool((state["exp_avg"][~mask] == 0).all())
            assert bool((state["exp_avg_sq"][~mask] == 0).all())
            assert bool((state["exp_avg"][mask] != 0).any())


def test_masks_travel_with_the_state_and_live_weights_survive_zeroing() -> None:
    network, masks = masked_network()
    set_masks(network, masks)
    live = trained_weight(network[0]).detach().clone()
    zero_pruned(network)
    assert torch.equal(trained_weight(network[0]), live * masks["0"])
    other, _ = masked_network()
    other.load_state_dict(network.state_dict())
    assert torch.equal(masks_of(other)["0"], masks["0"])
    assert torch.equal(other[0].weight, network[0].weight)


def test_a_mask_goes_in_front_of_what_the_weight_goes_through_already() -> None:
    class Halves(nn.Module):
        def forward(self, weight: Tensor) -> Tensor:
            return torch.where(weight == 0, torch.zeros_like(weight), weight.round() + 0.5)

    network = nn.Sequential(nn.Linear(2, 1, bias=False))
    nn.init.constant_(network[0].weight, 3.2)
    parametrize.register_parametrization(network[0], "weight", Halves())
    attach_masks(network, ["0"])
    assert network[0].weight.tolist() == [[3.5, 3.5]]
    set_masks(network, {"0": torch.tensor([[True, False]])})
    assert network[0].weight.tolist() == [[3.5, 0.0]]
    assert list(network.state_dict()) == ["0.parametrizations.weight.original", "0.parametrizations.weight.0.mask"]
