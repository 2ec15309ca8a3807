"""Teachers: networks whose disparity maps and cost volumes a phase may learn from, without labels.

Learning from volumes is regression on the cost distribution: the Kullback-Leibler divergence between the softmax over
disparities of the student's aggregated volumes and the teacher's, in nats, the mean over volumes and their cells.
Interpretation, after PQK's distillation (its task is classification, ours is the choice of a disparity): volumes as
they are aggregated, before they are up-sampled, at temperature 1. Volumes of steps from an estimate, such as AnyNet's
finer scales, are left out: the same plane means another disparity in the teacher than in the student.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.pruning.masks import masks_of
from disparsity.quant.folding.batch_norm import fold_named
from disparsity.stereo.distributions import distribution_parts
from disparsity.stereo.network import StereoNetwork

_NORMS = nn.modules.batchnorm._BatchNorm


class InNetworkTeacher:
    """The student with its pruned weights put back: live weights are the student's, pruned ones the dense network's.

    Biases and layers without a mask are the student's; quantized weights are taken as they are quantized. BatchNorm is
    the dense network's, apart from the student's, with the statistics of each batch if `batch_statistics`: the
    student's live weights drift, and the dense network's statistics no longer fit what they compute.

    Interpretation, after PQK (Kim, Chang and Kwak, Interspeech 2021), of which only the idea is public here: the pruned
    weights make a teacher inside the same network. In the paper they are trained in its second phase; here they keep
    the dense network's values, so that the teacher has no state of its own.

    Args:
        dense: the network before compression; copied.
        batch_statistics: else BatchNorm keeps the dense network's statistics.
        folded: pairs of layers whose BatchNorm the student has folded; the teacher folds the dense network's there.

    """

    def __init__(
        self, dense: StereoNetwork, *, batch_statistics: bool, folded: Collection[tuple[str, str]] = ()
    ) -> None:
        self._dense = dense
        if folded:
            self._dense = copy.deepcopy(dense)
            fold_named(self._dense, folded)
        self._joined = copy.deepcopy(self._dense).eval().requires_grad_(requires_grad=False)
        for module in self._joined.modules():
            if isinstance(module, _NORMS) and batch_statistics:
                module.train()
                module.momentum = 0.0  # the running statistics stay, so that a resumed phase finds the same teacher

    @torch.no_grad()
    def joined(self, student: StereoNetwork) -> StereoNetwork:
        """The teacher of the student's present weights; the same object at every call.

        Raises:
            InputError: the student's layers are no longer those of the dense network (removed channels).

        """
        masks = masks_of(student)
        layers = dict(student.named_modules())
        for name, module in self._joined.named_modules():
            for key, parameter in module.named_parameters(recurse=False):
                value = self._counterpart(layers.get(name), f"{name}.{key}", key, parameter)
                if isinstance(module, _NORMS):
                    continue
                if key == "weight" and name in masks:
                    dense = self._dense.get_submodule(name).get_parameter(key)
                    value = torch.where(masks[name], value, dense)
                parameter.copy_(value)
        return self._joined

    @staticmethod
    def _counterpart(layer: nn.Module | None, where: str, key: str, parameter: Tensor) -> Tensor:
        value = getattr(layer, key, None)
        if not isinstance(value, Tensor) or value.shape != parameter.shape:
            raise InputError(
                "the student is built otherwise than the dense network, so that nothing can be put back",
                where=where,
                found="removed channels, or BatchNorm that was folded here only",
                remedy='take teacher = "dense"',
            )
        return value


@contextmanager
def coarse_maps(network: StereoNetwork) -> Iterator[None]:
    """Let a network in eval mode return the coarse maps of training mode; its layers stay in eval mode."""
    training = network.training
    network.training = True
    try:
        yield
    finally:
        network.training = training


def check_distributions(network: StereoNetwork) -> None:
    """Refuse a network without a distribution over disparities.

    Raises:
        InputError: nothing in the network regresses disparity from a cost volume by a soft-argmin.

    """
    if not distribution_parts(network):
        raise InputError(
            "the network has no cost volume in front of a soft-argmin, whose distribution could be taught",
            where=network.spec.name,
            expected="volume_weight = 0",
            remedy="take the teacher's weight, which compares disparity maps",
        )


def pair_maps(maps: tuple[Tensor, ...], goals: tuple[Tensor, ...]) -> list[tuple[Tensor, Tensor]]:
    """Each map with the goal of its place, counted from the finest; maps without one get the finest goal."""
    missing = max(0, len(maps) - len(goals))
    own = goals[len(goals) - (len(maps) - missing) :]
    return list(zip(maps, (goals[-1],) * missing + own, strict=True))
