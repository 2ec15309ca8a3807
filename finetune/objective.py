"""Training objective: supervised, distillation and photometric losses, or a weighted sum of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from disparsity.base.distributed import mean_count
from disparsity.base.eval_mode import evaluating
from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.running_error import RunningError
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.teachers import InNetworkTeacher, check_distributions, coarse_maps, pair_maps
from disparsity.stereo.distributions import divergence, observed_similarities
from disparsity.stereo.losses import smooth_l1
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.photometric import disparities_of_both, photometric_loss, visible_in_both


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The loss of a batch.

    Attributes:
        settings: loss weights and precision.
        teacher: the dense network in eval mode, or what puts pruned weights back, or None.
        errors: of the batches that were seen, where they have ground truth.

    """

    settings: TrainSettings
    teacher: StereoNetwork | InNetworkTeacher | None = None
    errors: RunningError = field(default_factory=RunningError)

    def __call__(self, network: StereoNetwork, batch: Batch, pixels: Tensor | None = None) -> Tensor:
        """The loss of `network` on `batch`: a scalar in pixels; volumes count in nats, views without unit.

        Args:
            network: that is trained.
            batch: views, with ground truth where there is any.
            pixels: what the supervised loss divides its sum by; by default the pixels that it counts.

        Raises:
            InputError: the loss needs distributions over disparities, and the network has none.

        """
        with self._volumes(network) as volumes:
            maps = self._maps(network, batch.left, batch.right)
        self.errors.add(maps[-1], batch, network.spec.max_disparity)
        weights = network.spec.loss_weights
        total = batch.disparity.new_zeros(())
        if self.settings.supervised_weight > 0:
            known = _known(network, batch)
            total = total + self.settings.supervised_weight * smooth_l1(maps, batch.disparity, known, weights, pixels)
        if max(self.settings.teacher.weight, self.settings.teacher.volume_weight) > 0:
            total = total + self._teacher_loss(network, batch, maps, volumes)
        photometric = self.settings.photometric
        if photometric is not None:
            visible = self._visible(network, batch, photometric.occlusion)
            loss = photometric_loss(maps, batch.left, batch.right, visible, weights)
            total = total + photometric.weight * loss
        return total

    def parts(self, network: StereoNetwork, batch: Batch, count: int) -> Iterator[Tensor]:
        """The losses of `count` equal parts of a batch, one after the other; their mean is the loss of the batch.

        For losses over pixels that the networks' maps choose (an in-network teacher, views) it is the mean of the
        parts' means.
        """
        pixels = mean_count(_known(network, batch).sum()).clamp(min=1) / count
        return (self(network, part, pixels) for part in batch.split(count))

    def _teacher_loss(
        self, network: StereoNetwork, batch: Batch, maps: tuple[Tensor, ...], volumes: list[Tensor]
    ) -> Tensor:
        teacher, settings = self._teacher(network), self.settings.teacher
        coarse = settings.maps == "all" or settings.volume_weight > 0
        with (
            torch.no_grad(),
            coarse_maps(teacher) if coarse else nullcontext(),
            self._volumes(teacher) as distributions,
        ):
            goals = tuple(goal.float() for goal in self._maps(teacher, batch.left, batch.right))
        trusted = self._trusted(batch, maps[-1].detach().float(), goals[-1])
        total = goals[-1].new_zeros(())
        if settings.weight > 0:
            total = total + settings.weight * self._map_loss(network, maps, goals, trusted)
        if settings.volume_weight > 0:
            top, beyond = network.padding(*trusted.shape[-2:])
            inside = F.pad(trusted, (0, beyond, top, 0))
            total = total + settings.volume_weight * divergence(volumes, distributions, inside)
        return total

    def _map_loss(
        self, network: StereoNetwork, maps: tuple[Tensor, ...], goals: tuple[Tensor, ...], trusted: Tensor
    ) -> Tensor:
        weights = network.spec.loss_weights
        if self.settings.teacher.maps == "last":
            return smooth_l1(maps, goals[-1], trusted, weights)
        pairs = zip(pair_maps(maps, goals), weights[-len(maps) :], strict=True)
        return torch.stack([smooth_l1((map_,), goal, trusted, (weight,)) for (map_, goal), weight in pairs]).sum()

    def _volumes(self, network: StereoNetwork) -> AbstractContextManager[list[Tensor]]:
        """What is watched of the cost volumes: nothing, unless distributions are compared."""
        if self.settings.teacher.volume_weight == 0:
            return nullcontext([])
        check_distributions(network)
        return observed_similarities(network)

    def _trusted(self, batch: Batch, own: Tensor, goal: Tensor) -> Tensor:
        """Where the teacher is listened to: the dense one everywhere, the one inside where it is not known to be worse.

        Interpretation: PQK's teacher is trained and needs no such mask; ours is only put together.
        """
        if self.settings.teacher.name != "in_network":
            return torch.ones_like(goal, dtype=torch.bool)
        better = (goal - batch.disparity).abs() < (own - batch.disparity).abs()
        return better | ~batch.valid

    def _teacher(self, network: StereoNetwork) -> StereoNetwork:
        assert self.teacher is not None, "a teacher weight needs a teacher"
        return self.teacher.joined(network) if isinstance(self.teacher, InNetworkTeacher) else self.teacher

    def _visible(self, network: StereoNetwork, batch: Batch, occlusion: str) -> Tensor:
        judge = self._teacher(network) if occlusion == "teacher" else network
        with evaluating(judge):  # a pair in a mirror must not move BatchNorm's statistics
            both = disparities_of_both(lambda a, b: self._maps(judge, a, b)[-1], batch.left, batch.right)
        return visible_in_both(*both)

    def _maps(self, network: StereoNetwork, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        device = left.device.type
        if not runs_in_bfloat16(self.settings.precision, device):
            return network(left, right)
        with torch.autocast(device, torch.bfloat16):
            return network(left, right)


def _known(network: StereoNetwork, batch: Batch) -> Tensor:
    """Pixels ``[B, H, W]`` whose ground truth the network can reach."""
    return batch.valid & (batch.disparity < network.spec.max_disparity)


def runs_in_bfloat16(precision: str, device: str = "cpu") -> bool:
    """Whether a phase of this precision runs under bfloat16 autocast on a type of device of this machine."""
    if precision == "auto":
        return torch.cuda.is_bf16_supported() if device == "cuda" else bool(torch.cpu._is_avx512_bf16_supported())
    return precision == "bfloat16"
