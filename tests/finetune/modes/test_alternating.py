"""Mode `alternating`: when the masks are lifted, and what returns."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from disparsity.base.layers import trained_weight
from disparsity.finetune.modes.alternating import Alternating
from disparsity.finetune.modes.base import EventWindow
from disparsity.finetune.modes.settings import AlternatingSettings
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.masks import mask_modules, masks_of


@pytest.mark.parametrize(
    ("since", "until", "lifted"),
    [(None, 4, False), (0, 4, False), (1, 3, False), (2, 2, True), (3, 1, True), (0, 1, False), (3, None, False)],
)
def test_the_second_half_between_events_is_dense(
    masked_layer: Callable[[list[bool]], nn.Sequential], since: int | None, until: int | None, lifted: bool
) -> None:
    network = masked_layer([True, False])
    Alternating(AlternatingSettings(dense_fraction=0.5)).before_step(network, EventWindow(since=since, until=until))
    assert masks_of(network)["0"].tolist() == [[True, lifted]]


def test_every_dense_phase_trains_what_was_pruned(
    pruned_by: Callable[..., Trainer], run_to_end: Callable[[Trainer], Trainer]
) -> None:
    shares: list[float] = []
    returned: list[bool] = []

    class Watch(StepHook):
        def before_step(self, trainer: Trainer, step: int) -> None:
            masks = [module.mask for module in mask_modules(trainer.network).values()]
            shares.append(sum(int(mask.sum()) for mask in masks) / sum(mask.numel() for mask in masks))

        def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
            weights = [trained_weight(trainer.network.get_submodule(n)) for n in mask_modules(trainer.network)]
            returned.append(all(bool(torch.count_nonzero(weight)) for weight in weights))

    trainer = run_to_end(pruned_by(Alternating(AlternatingSettings(dense_fraction=0.6)), Watch()))
    first, second = 0.2 ** (1 / 3), 0.2 ** (2 / 3)
    assert shares == pytest.approx([1, 1, 1, first, 1, 1, second, 1, 1, 0.2], abs=1e-3)
    assert all(returned)
    assert trainer.step == 10
