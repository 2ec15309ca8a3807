"""Scores of units against sums over single weights, taken one by one."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from disparsity.pruning.channels.layout import layouts
from disparsity.pruning.channels.scores import unit_scores


def one_by_one(coupling: Any, scores: dict[str, Tensor], unit: int) -> float:
    """Mean over all weights that make or read the unit's channels."""
    values: list[float] = []
    for name, score in scores.items():
        if name in coupling.channelwise:
            values += [float(v) for v, owner in zip(score, coupling.channelwise[name], strict=True) if owner == unit]
            continue
        for first, second in itertools.product(range(score.shape[0]), range(score.shape[1])):
            made, read = (second, first) if name == "outer" else (first, second)
            if unit in (coupling.outputs[name][made], coupling.inputs[name][read]):
                values += score[first, second].flatten().tolist()
    live = [value for value in values if value >= 0]
    return sum(live) / len(live) if live else -1.0


def scores_of(network: nn.Module, names: list[str]) -> dict[str, Tensor]:
    return {name: torch.rand(network.get_submodule(name).weight.shape) for name in names}


@pytest.mark.parametrize("names", [["enter", "inner", "outer", "last", "norm"], ["inner", "outer"]])
def test_every_weight_counts_once(network: nn.Module, coupling: Any, names: list[str]) -> None:
    scores = scores_of(network, names)
    found = unit_scores(layouts(network, coupling), scores, coupling.units)
    assert found.tolist() == pytest.approx([one_by_one(coupling, scores, unit) for unit in range(5)])


def test_removed_weights_do_not_count(network: nn.Module, coupling: Any) -> None:
    scores = scores_of(network, ["enter", "inner", "outer", "last", "norm"])
    scores["inner"][0] = -1.0
    scores["outer"][0] = -1.0
    scores["norm"][0] = -1.0
    found = unit_scores(layouts(network, coupling), scores, coupling.units)
    assert found[3] == -1.0
    assert found.tolist() == pytest.approx([one_by_one(coupling, scores, unit) for unit in range(5)])


def test_a_weight_between_channels_of_one_unit_counts_once(hand_made: Any) -> None:
    layer = nn.Sequential(nn.Conv2d(2, 2, 1))
    same = hand_made(outputs={"0": (0, 1)}, inputs={"0": (0, 1)}, units=2)
    score = torch.tensor([[1.0, 10.0], [100.0, 1000.0]]).view(2, 2, 1, 1)
    assert unit_scores(layouts(layer, same), {"0": score}, 2).tolist() == [37.0, 370.0]
