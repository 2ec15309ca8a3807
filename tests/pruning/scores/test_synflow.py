"""SynFlow: products along paths by hand, conservation, and what stands for the rest of a stereo network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from disparsity.pruning.masks import attach_masks, set_masks
from disparsity.pruning.scores.synflow import PositiveFlow, synflow_scores
from disparsity.stereo.networks import build_network


def response(network: nn.Module) -> Tensor:
    return network(torch.ones(1, 2, dtype=torch.float64)).sum()


def chain() -> nn.Sequential:
    made = nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 1))
    with torch.no_grad():
        made[0].weight.copy_(torch.tensor([[2.0, -1.0]]))
        made[2].weight.fill_(-4.0)
    return made


def test_three_weights_by_hand() -> None:
    net = chain()
    scores = synflow_scores(net, {"0": net[0], "2": net[2]}, response)
    # paths 2 * 4 and 1 * 4; the last weight carries both; relative to the largest
    torch.testing.assert_close(scores["0"], torch.tensor([[8 / 12, 4 / 12]]))
    torch.testing.assert_close(scores["2"], torch.tensor([[1.0]]))


def test_the_network_is_left_as_it_was() -> None:
    net = chain()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    synflow_scores(net.train(), {"0": net[0]}, response)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert net.training
    assert net[0].weight.grad is None


def test_flow_is_conserved_from_layer_to_layer() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 4), nn.Sigmoid(), nn.Linear(4, 1))
    nn.init.normal_(net[1].weight)
    net[1].running_mean.fill_(3.0)
    scores = synflow_scores(net, {name: net.get_submodule(name) for name in ("0", "1", "3", "5")}, response)
    sums = [float(score.sum()) for score in scores.values()]
    assert sums == pytest.approx([sums[0]] * 4, rel=1e-5)


def test_no_flow_runs_over_pruned_weights() -> None:
    net = chain()
    attach_masks(net, ["0"])
    set_masks(net, {"0": torch.tensor([[False, True]])})
    scores = synflow_scores(net, {"0": net[0], "2": net[2]}, response)
    assert scores["0"].tolist() == [[0.0, 1.0]]


class Difference(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tower = nn.Linear(2, 1)
        self.head = nn.Linear(1, 1)

    def forward(self, view: Tensor) -> Tensor:
        cost = self.head(self.tower(view) - 2.0 * self.tower(view))
        return torch.softmax(-cost.float(), dim=1)


def test_a_difference_is_a_sum_and_squashing_is_left_out() -> None:
    net = Difference()
    with torch.no_grad():
        net.tower.weight.copy_(torch.tensor([[1.0, -3.0]]))
        net.head.weight.fill_(-0.5)
    scores = synflow_scores(net, {"tower": net.tower, "head": net.head}, response)
    torch.testing.assert_close(scores["tower"], torch.tensor([[0.25, 0.75]]))
    torch.testing.assert_close(scores["head"], torch.tensor([[1.0]]))


def test_constants_are_subtracted_as_ever() -> None:
    weight = torch.ones(2, requires_grad=True)
    with PositiveFlow():
        assert (weight - 3.0).tolist() == [-2.0, -2.0]
        assert (torch.ones(2) - torch.ones(2)).tolist() == [0.0, 0.0]
        assert (weight - weight).tolist() == [2.0, 2.0]
        assert torch.arange(2, dtype=torch.float32).dtype == torch.float64


@pytest.mark.parametrize("name", ["reference", "anynet"])
def test_flow_reaches_the_layers_of_stereo_networks(name: str) -> None:
    torch.manual_seed(0)
    network = build_network(name)
    layers = {n: m for n, m in network.named_modules() if isinstance(m, nn.Conv2d | nn.Conv3d)}
    size = network.spec.divisor

    def ones(copied: nn.Module) -> Tensor:
        view = torch.ones(1, 3, size, 2 * size, dtype=torch.float64)
        return torch.stack([disparity.sum() for disparity in copied.estimate(view, view)]).sum()

    scores = synflow_scores(network, layers, ones)
    assert all(bool(torch.isfinite(score).all()) for score in scores.values())
    reached = [name for name, score in scores.items() if bool((score > 0).any())]
    assert len(reached) > 0.8 * len(layers), sorted(set(layers) - set(reached))
