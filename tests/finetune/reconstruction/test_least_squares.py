"""Layer-wise reconstruction: fixed points, masks, falling errors, order of execution."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, unfold

from disparsity.base.layers import trained_weight
from disparsity.finetune.reconstruction.least_squares import dense_targets, reconstruct
from disparsity.pruning.masks import attach_masks, masks_of, set_masks

RIDGE = 1e-4


def toy() -> nn.Sequential:
    torch.manual_seed(0)
    layers = [
        nn.Conv2d(3, 6, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.LeakyReLU(0.2),
        nn.Conv2d(6, 6, 3, padding=2, dilation=2),
        nn.Unflatten(1, (2, 3)),
        nn.Conv3d(2, 4, 3, padding=1),
        nn.BatchNorm3d(4),
        nn.Conv3d(4, 1, (1, 3, 3), padding=(0, 1, 1)),
    ]
    return nn.Sequential(*layers).eval()


LAYERS = ["0", "3", "5", "7"]


def pruned(dense: nn.Module, kept: float) -> nn.Module:
    network = copy.deepcopy(dense)
    attach_masks(network, LAYERS)
    generator = torch.Generator().manual_seed(1)
    set_masks(network, {n: torch.rand(m.shape, generator=generator) < kept for n, m in masks_of(network).items()})
    return network


def smooth(batch: int) -> Tensor:
    """Neighbouring pixels resemble each other, as in images: that is what reconstruction lives on."""
    return 4 * avg_pool2d(torch.randn(batch, 3, 22, 26), 7, stride=1)


def forward(inputs: Tensor) -> Any:
    return lambda module: module(inputs)


def test_all_ones_masks_and_equal_inputs_are_a_fixed_point() -> None:
    dense, inputs = toy(), torch.randn(3, 3, 16, 20)
    network = pruned(dense, 2.0)
    targets = dense_targets(dense, forward(inputs), 2000, 0)
    saliencies = reconstruct(network, targets, forward(inputs), RIDGE)
    assert list(saliencies) == LAYERS
    for name in LAYERS:
        before, after = dense.get_submodule(name), network.get_submodule(name)
        torch.testing.assert_close(after.weight, before.weight, rtol=1e-3, atol=1e-4)
        if before.bias is not None:
            torch.testing.assert_close(after.bias, before.bias, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("ridge", [1e-5, 1e-3])
def test_pruned_weights_stay_exactly_zero_and_the_output_comes_nearer(ridge: float) -> None:
    dense, inputs, unseen = toy(), smooth(3), smooth(2)
    network = pruned(dense, 0.5)
    with torch.no_grad():
        goal = dense(unseen)
        before = float((network(unseen) - goal).square().mean())
        targets = dense_targets(dense, forward(inputs), 2000, 0)
        reconstruct(network, targets, forward(inputs), ridge)
        after = float((network(unseen) - goal).square().mean())
    assert after < 0.75 * before
    for name, mask in masks_of(network).items():
        assert bool((trained_weight(network.get_submodule(name))[~mask] == 0).all())
        assert bool((trained_weight(network.get_submodule(name))[mask] != 0).any())


def test_error_of_every_layers_output_falls() -> None:
    dense, inputs = toy(), torch.randn(3, 3, 16, 20)
    network = pruned(dense, 0.4)
    targets = dense_targets(dense, forward(inputs), 2000, 0)

    def errors() -> list[float]:
        found = dense_targets(network, forward(inputs), 2000, 0)
        return [float((found[name].outputs - targets[name].outputs).square().mean()) for name in LAYERS]

    before = errors()
    reconstruct(network, targets, forward(inputs), RIDGE)
    assert all(after < earlier for after, earlier in zip(errors(), before, strict=True))


def test_first_layer_equals_a_direct_least_squares_solution() -> None:
    dense, inputs = toy(), torch.randn(1, 3, 31, 31)
    network = pruned(dense, 0.5)
    targets = dense_targets(dense, forward(inputs), 4000, 0)
    reconstruct(network, targets, forward(inputs), 0.0)
    layer, mask = network[0], masks_of(network)["0"]
    columns = unfold(inputs, 3, padding=1, stride=2)[0].T.double()
    with torch.no_grad():
        goal = dense[0](inputs)[0].flatten(1).double()
    where = targets["0"].positions
    place = where[:, 1] * 16 + where[:, 2]
    for index in range(6):
        live = mask[index].flatten()
        best = torch.linalg.lstsq(columns[place][:, live], goal[index, place][:, None]).solution[:, 0]
        torch.testing.assert_close(layer.weight[index].flatten()[live].double(), best, rtol=1e-3, atol=1e-4)


def test_measuring_only_leaves_the_weights() -> None:
    dense, inputs = toy(), torch.randn(1, 3, 16, 20)
    network = pruned(dense, 0.5)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    targets = dense_targets(dense, forward(inputs), 500, 0)
    saliencies = reconstruct(network, targets, forward(inputs), RIDGE, solve=False)
    assert all(torch.equal(state[name], tensor) for name, tensor in network.state_dict().items())
    for name, mask in masks_of(network).items():
        assert saliencies[name].shape == mask.shape
        assert bool((saliencies[name][~mask] == 0).all())
        assert bool((saliencies[name][mask] > 0).all())


def test_statistics_mode_and_hooks_are_left_as_they_were() -> None:
    dense, inputs = toy(), torch.randn(2, 3, 16, 20)
    network = pruned(dense, 0.5).train()
    mean = network[1].running_mean.clone()
    targets = dense_targets(dense, forward(inputs), 500, 0)
    reconstruct(network, targets, forward(inputs), RIDGE)
    assert network.training
    assert torch.equal(network[1].running_mean, mean)
    for module in (*network.modules(), *dense.modules()):
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


class Twice(nn.Module):
    """A layer that is called twice, and one that cannot be lowered."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Conv2d(2, 2, 3, padding=1)
        self.grouped = nn.Conv2d(2, 2, 3, padding=1, groups=2)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.shared(self.grouped(self.shared(inputs)))


def test_layer_called_twice_is_solved_once_and_grouped_layers_are_left_alone() -> None:
    torch.manual_seed(0)
    dense, inputs = Twice().eval(), torch.randn(2, 2, 8, 8)
    network = copy.deepcopy(dense)
    with torch.no_grad():
        network.shared.weight.mul_(0.5)
        network.grouped.weight.mul_(0.5)
    targets = dense_targets(dense, forward(inputs), 1000, 0)
    solved = reconstruct(network, targets, forward(inputs), 0.0)
    assert list(targets) == list(solved) == ["shared"]
    torch.testing.assert_close(network.shared.weight, dense.shared.weight, rtol=1e-3, atol=1e-4)
    assert torch.equal(network.grouped.weight, dense.grouped.weight * 0.5)


def test_same_seed_gives_the_same_bits() -> None:
    results = []
    for _ in range(2):
        dense, inputs = toy(), torch.randn(2, 3, 16, 20, generator=torch.Generator().manual_seed(3))
        network = pruned(dense, 0.5)
        reconstruct(network, dense_targets(dense, forward(inputs), 300, 7), forward(inputs), RIDGE)
        results.append(network.state_dict())
    assert all(torch.equal(results[0][name], results[1][name]) for name in results[0])
