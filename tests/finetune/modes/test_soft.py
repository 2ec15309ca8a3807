"""Mode `soft`: a hand computation of what is left, and no return."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from disparsity.base.layers import trained_weight
from disparsity.finetune.modes.settings import SoftSettings
from disparsity.finetune.modes.soft import Soft
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.masks import masks_of, set_masks

Build = Callable[[list[bool]], nn.Sequential]


def test_a_pruned_weight_fades_while_the_others_learn(masked_layer: Build) -> None:
    network, mode = masked_layer([True, True, True]), Soft(SoftSettings(decay=0.25))
    weight = trained_weight(network[0])
    optimizer = torch.optim.Adam([weight], 0.1)
    mode.start(network)
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    weight.data.copy_(torch.tensor([[1.0, 2.0, 3.0]]))
    set_masks(network, {"0": torch.tensor([[True, False, True]])})
    mode.after_event(network, optimizer)
    assert weight.tolist() == [[1.0, 2.0, 3.0]]
    seen = []
    for _ in range(5):
        optimizer.zero_grad()
        network(torch.ones(1, 3)).sum().backward()
        mode.after_backward(network)
        optimizer.step()
        mode.after_step(network)
        seen.append(float(weight[0, 1].detach()))
        assert float(optimizer.state[weight]["exp_avg_sq"][0, 1]) == 0.0
    # 2 / 4^n; after four steps less than 1 % is left
    assert seen == [0.5, 0.125, 0.03125, 0.0, 0.0]
    assert masks_of(network)["0"].tolist() == [[True, False, True]]
    assert float(weight[0, 0].detach()) < 0.7


def test_fading_weights_do_not_return(masked_layer: Build) -> None:
    network, mode = masked_layer([True, True, True]), Soft(SoftSettings(decay=0.9))
    mode.start(network)
    set_masks(network, {"0": torch.tensor([[True, False, True]])})
    mode.after_event(network, None)
    assert masks_of(network)["0"].all()
    assert mode.adjust_scores({"0": torch.tensor([[1.0, 9.0, 2.0]])}, network)["0"].tolist() == [[1.0, -1.0, 2.0]]
    mode.finish(network)
    assert network[0].weight.tolist() == [[1.0, 2.0, 3.0]]
    mode.end(network)
    assert network[0].weight.tolist() == trained_weight(network[0]).tolist() == [[1.0, 0.0, 3.0]]


def test_the_masks_follow_the_events_with_a_delay(
    pruned_by: Callable[..., Trainer], run_to_end: Callable[[Trainer], Trainer]
) -> None:
    shares: list[float] = []

    class Watch(StepHook):
        def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
            masks = masks_of(trainer.network).values()
            shares.append(sum(int(mask.sum()) for mask in masks) / sum(mask.numel() for mask in masks))

    run_to_end(
        pruned_by(Soft(SoftSettings(decay=0.09)), Watch(), event_fraction=0.6)
    )  # events before steps 2, 4 and 6, gone in two steps
    first, second = 0.2 ** (1 / 3), 0.2 ** (2 / 3)
    expected = [1, 1, 1, first, first, second, second, 0.2, 0.2, 0.2]
    assert shares == pytest.approx(expected, abs=1e-3)


def test_events_without_steps_cut_at_once(masked_layer: Build) -> None:
    network, mode = masked_layer([True, True]), Soft(SoftSettings())
    mode.adjust_scores({"0": torch.ones(1, 2)}, network)
    set_masks(network, {"0": torch.tensor([[True, False]])})
    mode.after_event(network, None)
    mode.end(network)
    assert network[0].weight.tolist() == [[1.0, 0.0]]
