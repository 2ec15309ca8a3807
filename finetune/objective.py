"""What a training step minimises: the distance to the ground truth, to a teacher, or both."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from disparsity.datasets.batches import Batch
from disparsity.finetune.settings import TrainSettings
from disparsity.stereo.losses import smooth_l1
from disparsity.stereo.network import StereoNetwork

TEACHERS = {
    "none": "ground truth only",
    "dense": "the network before compression, by the distance between the disparity maps; needs no labels",
}


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The loss of a batch.

    Attributes:
        settings: loss weights and precision.
        teacher: the dense network in eval mode, or None.

    """

    settings: TrainSettings
    teacher: StereoNetwork | None = None

    def __call__(self, network: StereoNetwork, batch: Batch) -> Tensor:
        """The loss (a scalar, in pixels) of `network` on `batch`."""
        maps = self._maps(network, batch)
        weights = network.spec.loss_weights
        total = batch.disparity.new_zeros(())
        if self.settings.truth_weight > 0:
            known = batch.valid & (batch.disparity < network.spec.max_disparity)
            total = total + self.settings.truth_weight * smooth_l1(maps, batch.disparity, known, weights)
        if self.settings.teacher_weight > 0:
            assert self.teacher is not None, "a teacher weight needs a teacher"
            with torch.no_grad():
                goal = self._maps(self.teacher, batch)[-1].float()
            everywhere = torch.ones_like(goal, dtype=torch.bool)
            total = total + self.settings.teacher_weight * smooth_l1(maps, goal, everywhere, weights)
        return total

    def _maps(self, network: StereoNetwork, batch: Batch) -> tuple[Tensor, ...]:
        with torch.autocast("cpu", torch.bfloat16, enabled=runs_in_bfloat16(self.settings.precision)):
            return network(batch.left, batch.right)


def runs_in_bfloat16(precision: str) -> bool:
    """Whether a phase of this precision runs under bfloat16 autocast on this processor."""
    if precision == "auto":
        return bool(torch.cpu._is_avx512_bf16_supported())
    return precision == "bfloat16"
