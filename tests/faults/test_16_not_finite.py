"""Row 16: numbers that are not finite, wherever they come in: no step is taken on them, and the sample is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from campaign.cycles import new_trainer

from disparsity.base.errors import DivergedError, InputError
from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.training import Trainer
from disparsity.stereo.losses import smooth_l1
from disparsity.stereo.metrics import image_errors, pooled

Spoil = Callable[[Batch], Batch]
SPOILT: dict[str, Spoil] = {
    "image": lambda batch: replace(batch, left=batch.left.clone().index_fill_(2, torch.tensor([3]), torch.nan)),
    "infinite image": lambda batch: replace(batch, right=torch.full_like(batch.right, torch.inf)),
    "disparity": lambda batch: replace(batch, disparity=torch.full_like(batch.disparity, torch.nan)),
}


def state(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in trainer.state().items() if name not in ("step", "skipped")}


def assert_nothing_moved(trainer: Trainer, before: dict[str, torch.Tensor]) -> None:
    after = state(trainer)
    assert all(torch.equal(before[name], after[name]) for name in before if not name.startswith("hook"))
    assert all(bool(torch.isfinite(tensor).all()) for tensor in after.values())


def ended_by(trainer: Trainer) -> str:
    trainer.hooks.clear()  # pruning goes on without a step
    trainer._one_step(0)
    before = state(trainer)
    trainer.step = 1
    batches = trainer._batches
    trainer._batches = lambda step: trainer.spoil(batches(step))
    with pytest.raises(DivergedError) as caught:
        trainer.run("test")
    assert_nothing_moved(trainer, before)
    assert caught.value.exit_code == 4
    return str(caught.value)


@pytest.mark.parametrize("kind", SPOILT)
def test_in_the_data(kind: str) -> None:
    trainer: Any = new_trainer(9, 32, 64)
    trainer.spoil = SPOILT[kind]
    line = ended_by(trainer)
    assert "step 4: the training diverged; found loss nan" in line
    assert "samples synthetic/0/00000" in line


def test_in_a_gradient() -> None:
    trainer: Any = new_trainer(9, 32, 64)
    trainer.spoil = lambda batch: batch
    before = trainer._one_step

    def spoilt(step: int) -> None:
        handle = next(trainer.network.parameters()).register_hook(lambda gradient: gradient * torch.inf)
        before(step)
        handle.remove()

    trainer.hooks.clear()
    trainer._one_step(0)
    frozen = state(trainer)
    trainer.step, trainer._one_step = 1, spoilt
    with pytest.raises(DivergedError, match=r"gradient norm (nan|inf)"):
        trainer.run("test")
    assert_nothing_moved(trainer, frozen)


def test_no_valid_pixel_teaches_nothing_and_is_no_figure() -> None:
    maps, truth = (torch.rand(1, 4, 6, requires_grad=True),), torch.zeros(1, 4, 6)
    loss = smooth_l1(maps, truth, torch.zeros(1, 4, 6, dtype=torch.bool), (1.0,))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert not bool(maps[0].grad.any())
    empty = image_errors(np.ones((4, 6)), np.zeros((4, 6)), np.zeros((4, 6), bool))
    assert {pooled([empty])[name] for name in ("epe_px", "bad3_percent", "d1_percent")} == {None}


def test_scores_that_are_all_zero_are_refused() -> None:
    trainer = new_trainer(8, 32, 64)
    for parameter in trainer.network.parameters():
        parameter.register_hook(torch.zeros_like)
    with pytest.raises(InputError, match="no weight has a score; found gradients that are all zero"):
        trainer.run("test")
