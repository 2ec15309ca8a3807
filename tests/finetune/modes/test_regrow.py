"""Mode `regrow` on its own: who may return, what moves, what is forgotten."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from disparsity.base.layers import trained_weight
from disparsity.finetune.modes.regrow import Regrow
from disparsity.finetune.modes.settings import RegrowSettings
from disparsity.pruning.masks import mask_modules, masks_of, set_masks
from disparsity.pruning.scores.taylor import TaylorScore
from disparsity.pruning.selection import FloorSettings, select_global

Build = Callable[[list[bool]], nn.Sequential]


def regrow(penalty: float, fraction: float) -> Regrow:
    return Regrow(RegrowSettings(regrow_penalty=penalty, drop_fraction=fraction))


def test_regrow_pruned_weights_compete_with_a_penalty(masked_layer: Build) -> None:
    network = masked_layer([True, False, True])
    assert regrow(0.5, 1.0).adjust_scores({"0": torch.tensor([[0.0, 9.0, 1.0]])}, network)["0"].tolist() == [
        [0.0, 4.5, 1.0]
    ]


def test_regrow_lets_only_the_best_return(masked_layer: Build) -> None:
    network = masked_layer([True, False, True, False, False, True, True])
    scores = {"0": torch.tensor([[0.0, 7.0, 1.0, 9.0, 8.0, 2.0, 3.0]])}
    half = regrow(0.5, 0.5).adjust_scores(scores, network)["0"].tolist()
    assert half == [[0.0, -1.0, 1.0, 4.5, 4.0, 2.0, 3.0]]
    assert regrow(0.5, 0.0).adjust_scores(scores, network)["0"].tolist() == [[0.0, -1.0, 1.0, -1.0, -1.0, 2.0, 3.0]]


def test_a_wrongly_pruned_weight_returns_with_its_value_and_ends_frozen(masked_layer: Build) -> None:
    # the target needs weight 0 (value 1) and not weight 2 (value 3, its input is almost silent)
    network, mode = masked_layer([False, True, True]), regrow(0.25, 0.5)
    mode.start(network)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    score = TaylorScore({"0": network[0]}, 0.9)
    torch.manual_seed(0)
    for _ in range(20):
        inputs = torch.randn(16, 3) * torch.tensor([3.0, 1.0, 1e-3])
        optimizer.zero_grad()
        (network(inputs) - inputs @ torch.tensor([[1.0], [2.0], [0.0]])).square().mean().backward()
        score.add_batch()
        mode.after_backward(network)
        assert float(trained_weight(network[0]).grad[0, 0]) == 0.0
        optimizer.step()
        assert float(trained_weight(network[0])[0, 0].detach()) == 1.0
        assert float(network[0].weight[0, 0].detach()) == 0.0
    adjusted = mode.adjust_scores(score.scores(), network)
    set_masks(network, select_global(adjusted, 2 / 3, FloorSettings(fraction=0.0)))
    mode.after_event(network, optimizer)
    assert masks_of(network)["0"].tolist() == [[True, True, False]]
    assert float(network[0].weight[0, 0].detach()) == 1.0
    waiting = float(trained_weight(network[0])[0, 2].detach())
    assert waiting == pytest.approx(3.0, abs=0.1)
    state = optimizer.state[trained_weight(network[0])]
    assert float(state["exp_avg"][0, 2]) == float(state["exp_avg_sq"][0, 2]) == 0.0
    mode.finish(network)
    assert float(trained_weight(network[0])[0, 2].detach()) == 0.0
    assert not mask_modules(network)["0"].straight_through
    optimizer.zero_grad()
    network(torch.ones(1, 3)).sum().backward()
    assert trained_weight(network[0]).grad.tolist() == [[1.0, 1.0, 0.0]]
