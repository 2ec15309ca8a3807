"""One event's competition: masks from the scores of single weights, by the scope and the pattern of the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from disparsity.pruning.kernel_pattern import slice_scores, whole_slices
from disparsity.pruning.n_of_m import GroupLaw, without
from disparsity.pruning.patterns import group_law
from disparsity.pruning.scopes import SCOPES
from disparsity.pruning.selection import FloorSettings
from disparsity.pruning.settings import PruneSettings

Select = Callable[[Mapping[str, Tensor], float], dict[str, Tensor]]
"""Masks from the scores of single weights and the density that an event leaves."""


def competition(settings: PruneSettings, layers: Mapping[str, nn.Module], macs: Mapping[str, float]) -> Select:
    """The selection that settings describe, for every pattern that masks alone can express.

    The density is exact with pattern `element`. With N:M it is exact from N/M downwards, and rounded up to a multiple
    of 1/M on the way there. With `kernel` the slice at the threshold is removed, so that up to one slice is missing.

    Args:
        settings: scope, pattern and floors.
        layers: the scored layers by name.
        macs: MACs that one weight of each layer costs.

    """
    whole = settings.pattern.name == "kernel"
    floor = FloorSettings(fraction=settings.floor_fraction, per_filter=settings.floor_per_filter, whole_slices=whole)
    scope = SCOPES[settings.scope.name]

    def elements(scores: Mapping[str, Tensor], density: float) -> dict[str, Tensor]:
        return scope(scores, density, floor, macs)

    def kernels(scores: Mapping[str, Tensor], density: float) -> dict[str, Tensor]:
        return whole_slices(elements(slice_scores(scores), density))

    if whole:
        return kernels
    numbers = group_law(settings.pattern.name)
    return elements if numbers is None else _lawful(GroupLaw(*numbers, layers), elements)


def with_returning(weighed: Mapping[str, Tensor], scores: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights out of the competition (negative), ranked among each other by their scores, still below all others.

    For events at which more weights are kept than before: the competition alone cannot fill the places, and would fill
    them by position.
    """
    tiny = torch.finfo(torch.float32).tiny
    return {
        name: torch.where(values < 0, -1.0 / scores[name].float().clamp(min=tiny), values)
        for name, values in weighed.items()
    }


def _lawful(law: GroupLaw, elements: Select) -> Select:
    def select(scores: Mapping[str, Tensor], density: float) -> dict[str, Tensor]:
        kept = law.kept_at(density)
        allowed = law.allowed(scores, kept)
        return allowed if kept > law.kept else elements(without(scores, allowed), density)

    return select
