"""SNIP by hand: shares of the loss's derivatives by a mask of ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from disparsity.pruning.scores.snip import snip_scores


def network() -> nn.Sequential:
    made = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Linear(1, 1, bias=False))
    with torch.no_grad():
        made[0].weight.copy_(torch.tensor([[2.0, -1.0]]))
        made[1].weight.fill_(0.5)
    return made


def test_three_weights_by_hand() -> None:
    net = network()
    # output 0.5 (2 a - b); masks' derivatives: a, -b / 2, and the output itself
    inputs = (torch.tensor([1.0, 2.0]), torch.tensor([3.0, 2.0]))
    scores = snip_scores(net, {"0": net[0], "1": net[1]}, lambda number: net(inputs[number]).sum(), 2)
    # means over the batches: 2, -1, 1
    torch.testing.assert_close(scores["0"], torch.tensor([[0.5, 0.25]]))
    torch.testing.assert_close(scores["1"], torch.tensor([[0.25]]))


def test_it_is_the_derivative_by_the_mask() -> None:
    net = network()
    mask = torch.ones(1, 2, requires_grad=True)
    inputs = torch.tensor([0.3, 0.9])

    def loss(weight: Tensor) -> Tensor:
        return ((inputs @ weight.T) * net[1].weight).sum().square()

    (derivative,) = torch.autograd.grad(loss(net[0].weight * mask), mask)
    scores = snip_scores(net, {"0": net[0]}, lambda _number: loss(net[0].weight), 1)
    torch.testing.assert_close(scores["0"], derivative.abs() / derivative.abs().sum())


def test_a_network_that_nothing_reacts_in_scores_zero() -> None:
    net = network()
    scores = snip_scores(net, {"0": net[0]}, lambda _number: 0.0 * net(torch.ones(2)).sum(), 1)
    assert scores["0"].tolist() == [[0.0, 0.0]]
