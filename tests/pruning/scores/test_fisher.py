"""The diagonal Fisher score by hand, and against the loss without each weight."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from disparsity.pruning.scores.fisher import FisherDiagonal, fisher_obs_scores
from disparsity.pruning.scores.taylor import taylor_pass


def three_weights() -> nn.Linear:
    layer = nn.Linear(3, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[2.0, -1.0, 0.5]]))
    return layer


def test_three_weights_by_hand() -> None:
    layer = three_weights()
    inputs = (torch.tensor([1.0, 2.0, 4.0]), torch.tensor([3.0, 0.0, 2.0]))
    scores = fisher_obs_scores(layer, {"": layer}, lambda number: layer(inputs[number]).sum(), 2)
    # gradients are the inputs: F = (5, 2, 10), times w^2 / 2 = (2, 0.5, 0.125)
    assert scores[""].tolist() == [[10.0, 1.0, 1.25]]


def test_it_is_the_exact_rise_where_the_loss_is_quadratic_with_diagonal_curvature() -> None:
    layer = three_weights()
    goal = layer.weight.detach().clone()
    scales = torch.tensor([1.0, 3.0, 0.5])

    def loss(number: int) -> Tensor:
        """Of a Gaussian whose mean is a third of the weights: sample i errs by one in coordinate i only."""
        error = torch.zeros(3)
        error[number] = 1.0
        return 3**0.5 * (scales * (layer.weight[0] - goal[0] + error / scales)).square().sum() / 2

    scores = fisher_obs_scores(layer, {"": layer}, loss, 3)
    # each sample's gradient is scale * sqrt(3) in its coordinate, so F is scale^2: the curvature
    torch.testing.assert_close(scores[""][0], (scales * goal[0]).square() / 2)


def test_single_samples_rank_as_the_squared_taylor_form() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1))
    inputs = torch.randn(6, 4)
    layers = {"0": network[0], "2": network[2]}

    def loss(number: int) -> Tensor:
        return (network(inputs[number]) - 1.0).square().sum()

    fisher, taylor = fisher_obs_scores(network, layers, loss, 6), taylor_pass(network, layers, loss, 6)
    assert all(torch.allclose(2.0 * fisher[name], taylor[name], rtol=1e-5) for name in layers)


def test_a_layer_without_gradient_has_no_curvature() -> None:
    fisher = FisherDiagonal({"a": nn.Linear(2, 2)})
    fisher.add_sample()
    assert fisher.values() == {}
