"""Mode `rigl`: what is grown, what makes room, and that the number of weights stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from disparsity.base.layers import trained_weight
from disparsity.finetune.modes.base import EventWindow
from disparsity.finetune.modes.rigl import RigL
from disparsity.finetune.modes.settings import RigLSettings
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.masks import mask_modules, masks_of
from disparsity.pruning.selection import FloorSettings, select_global

NEXT = EventWindow(since=2, until=1)


def test_the_largest_gradient_grows_and_the_lowest_score_makes_room(
    masked_layer: Callable[[list[bool]], nn.Sequential],
) -> None:
    network, mode = masked_layer([True, False, True, False, True]), RigL(RigLSettings(drop_fraction=1 / 3))
    weight = trained_weight(network[0])
    weight.data[0, 1] = weight.data[0, 3] = 0.0
    mode.before_step(network, NEXT)
    network(torch.tensor([[1.0, 2.0, 1.0, -3.0, 1.0]])).sum().backward()
    assert weight.grad is not None
    mode.after_backward(network)
    assert weight.grad.tolist() == [[1.0, 0.0, 1.0, 0.0, 1.0]]
    mode.before_event(1, 3)
    adjusted = mode.adjust_scores({"0": torch.tensor([[5.0, 0.0, 4.0, 0.0, 6.0]])}, network)
    assert adjusted["0"].tolist() == [[5.0, -1.0, 4.0, 7.0, 6.0]]
    assert select_global(adjusted, 3 / 5, FloorSettings(fraction=0.0))["0"].tolist() == [
        [True, False, False, True, True]
    ]


@pytest.mark.parametrize(("event", "share"), [(1, 0.4), (2, 0.2), (3, 0.0)])
def test_the_share_falls_along_a_cosine(event: int, share: float) -> None:
    mode = RigL(RigLSettings(drop_fraction=0.4))
    mode.before_event(event, 3)
    assert mode._share == pytest.approx(share)


def test_gradients_reach_pruned_weights_only_before_an_event(
    masked_layer: Callable[[list[bool]], nn.Sequential],
) -> None:
    network, mode = masked_layer([True, False]), RigL(RigLSettings())
    for place, reached in (
        (EventWindow(since=0, until=2), False),
        (NEXT, True),
        (EventWindow(since=0, until=3), False),
    ):
        mode.before_step(network, place)
        assert mask_modules(network)["0"].straight_through is reached


def test_between_events_masks_stay_and_events_keep_the_count(
    pruned_by: Callable[..., Trainer], run_to_end: Callable[[Trainer], Trainer]
) -> None:
    masks: list[Tensor] = []
    new: list[float] = []

    class Watch(StepHook):
        def before_step(self, trainer: Trainer, step: int) -> None:
            masks.append(torch.cat([mask.flatten() for mask in masks_of(trainer.network).values()]))
            names = masks_of(trainer.network)
            weights = [trained_weight(trainer.network.get_submodule(name)).detach().flatten() for name in names]
            new.append(float(torch.cat(weights)[masks[-1] & ~masks[max(0, step - 1)]].abs().sum()))

    run_to_end(
        pruned_by(RigL(RigLSettings(drop_fraction=0.4)), Watch(), schedule={"first_sparsity": 0.8}, event_fraction=0.9)
    )
    counts = [int(mask.sum()) for mask in masks]
    assert len(set(counts[3:])) == 1
    changes = [int((masks[step] & ~masks[step - 1]).sum()) for step in range(1, 10)]
    # dense until step 3; the second of three events exchanges half of 40 %, the last nothing
    assert changes[:5] == [0, 0, 0, 0, 0]
    assert changes[6:] == [0, 0, 0]
    assert changes[5] == pytest.approx(0.2 * counts[3], rel=0.05)
    assert not any(new)
