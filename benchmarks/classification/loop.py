"""The one thing that the package lacks for classification: the loop over batches of labelled images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from classification.data import ImageSet
from classification.recipe import ControlRecipe
from disparsity.base.errors import DivergedError
from disparsity.finetune.recalibrate import recalibrate
from disparsity.finetune.training import StepHook, Trainer

RECALIBRATION_BATCHES = 20
_TEST_BATCH = 500


class Loop:
    """SGD over a network's parameters, one batch per step; hooks see it as they see the package's `Trainer`.

    Args:
        network: trained in place.
        data: what batches are drawn from.
        recipe: sizes, momentum, weight decay.
        seed: of the batches.

    """

    def __init__(self, network: nn.Module, data: ImageSet, recipe: ControlRecipe, seed: int) -> None:
        self.network = network
        self.step = 0
        self._data, self._recipe, self._seed = data, recipe, seed
        self.optimizer = torch.optim.SGD(
            network.parameters(), lr=recipe.rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )

    def run(self, steps: int, rate: float, *, falling: bool, hooks: Sequence[StepHook] = ()) -> None:
        """Take steps at a constant rate, or at one that falls to zero along a cosine; then end the hooks.

        Raises:
            DivergedError: the loss was not finite.

        """
        trainer = cast(Trainer, self)
        for number in range(steps):
            for hook in hooks:
                hook.before_step(trainer, number)
            share = 0.5 * (1.0 + math.cos(math.pi * number / steps)) if falling else 1.0
            value = self._one_step(number, rate * share, hooks)
            for hook in hooks:
                hook.after_step(trainer, number, value)
        for hook in hooks:
            hook.finish(trainer)

    def _one_step(self, number: int, rate: float, hooks: Sequence[StepHook]) -> float:
        self.network.train()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.step)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise DivergedError("the training diverged", where=f"step {number}", found=f"loss {value}")
        loss.backward()
        for hook in hooks:
            hook.after_backward(cast(Trainer, self), number)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.step += 1
        return value

    def loss(self, index: int, size: int | None = None) -> Tensor:
        """The cross entropy (a scalar) of batch number i."""
        images, labels = self._batch(index, size)
        return F.cross_entropy(self.network(images), labels)

    def settle(self) -> None:
        """Measure BatchNorm again, as the package's stages do when they end."""
        recalibrate(self.network, lambda network, i: network(self._batch(-1 - i)[0]), RECALIBRATION_BATCHES)
        self.network.eval()

    def _batch(self, index: int, size: int | None = None) -> tuple[Tensor, Tensor]:
        return self._data.batch(self._seed, index, size or self._recipe.batch, augment=self._recipe.augment)


@torch.no_grad()
def scored(network: nn.Module, data: ImageSet) -> dict[str, Any]:
    """Percentage of right answers and mean cross entropy on the test images."""
    network.eval()
    answers = torch.cat([network(images) for images in data.test_images.split(_TEST_BATCH)])
    right = int((answers.argmax(1) == data.test_labels).sum())
    loss = float(F.cross_entropy(answers, data.test_labels))
    return {"accuracy_percent": 100 * right / len(data.test_labels), "cross_entropy": loss}
