"""Distributions over disparities inside a network, captured by hooks, and the divergence of two of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.stereo.regression import DisparityRegression


def distribution_parts(network: nn.Module) -> list[DisparityRegression]:
    """The modules of a network that hold a distribution over disparities (not over steps from an estimate)."""
    return [part for part in network.modules() if isinstance(part, DisparityRegression) and not part.relative]


@contextmanager
def observed_similarities(network: nn.Module) -> Iterator[list[Tensor]]:
    """A list that grows with every forward pass meanwhile: ``[B, D, h, w]`` of every cost volume, in order of calls.

    The softmax over D is the distribution. The tensors keep their gradients; volumes over the padded views.
    """
    found: list[Tensor] = []

    def look(part: nn.Module, inputs: tuple[Any, ...]) -> None:
        assert isinstance(part, DisparityRegression)
        found.append(part.similarity(inputs[0]))

    handles = [part.register_forward_pre_hook(look) for part in distribution_parts(network)]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def divergence(own: Sequence[Tensor], goals: Sequence[Tensor], trusted: Tensor) -> Tensor:
    """Mean over the volumes of the Kullback-Leibler divergence of distributions from their goals, in nats (a scalar).

    Args:
        own: similarities ``[B, D, h, w]``, one per scale or head, the finest last.
        goals: the same of the teacher; without gradient. Where one side has more, its first ones are left out (a
            network in eval mode may leave out its coarse heads).
        trusted: ``[B, H, W]`` bool of the padded views: the pixels that count; a cell of a volume counts by the share
            of its pixels that do. A batch without any gives 0.

    """
    count = min(len(own), len(goals))
    pairs = zip(own[len(own) - count :], goals[len(goals) - count :], strict=True)
    return torch.stack([_divergence(mine, goal.detach(), trusted) for mine, goal in pairs]).mean()


def _divergence(own: Tensor, goal: Tensor, trusted: Tensor) -> Tensor:
    logarithms = torch.log_softmax(own.float(), dim=1), torch.log_softmax(goal.float(), dim=1)
    per_cell = F.kl_div(*logarithms, reduction="none", log_target=True).sum(dim=1)
    shares = F.interpolate(trusted[:, None].float(), size=own.shape[-2:], mode="area")[:, 0]
    total = shares.sum()
    return (per_cell * shares).sum() / torch.where(total > 0, total, torch.ones_like(total))
