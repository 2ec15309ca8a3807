"""Selection by score: exact counts, ties broken by position, no layer emptied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from disparsity.base.errors import DivergedError
from disparsity.pruning.scores.evidence import has_evidence
from disparsity.pruning.threshold import keep_top_by_histogram

Scores = Mapping[str, Tensor]
Masks = dict[str, Tensor]

SORTED_AT_MOST = 1 << 20
"""Longer vectors are not sorted: a sort moves 16 bytes per value about, many times."""


@dataclass(frozen=True, kw_only=True)
class FloorSettings:
    """The weights that every layer keeps whatever its scores.

    Attributes:
        fraction: of the layer's weights, 0..1.
        per_filter: weights per output filter (first axis).
        whole_slices: counts are rounded up to whole k x k slices (all axes behind the second).

    """

    fraction: float = 0.002
    per_filter: float = 0.0
    whole_slices: bool = False

    def count(self, score: Tensor) -> int:
        """How many weights a layer with this score tensor keeps at least."""
        wanted = max(1.0, self.fraction * score.numel(), self.per_filter * score.shape[0])
        size = score[0, 0].numel() if self.whole_slices and score.dim() > 1 else 1
        return min(score.numel(), -(-int(wanted) // size) * size)


def keep_count(total: int, density: float) -> int:
    """The exact number of weights that a density keeps: the nearest integer, at least one."""
    return max(1, round(density * total))


def select_global(scores: Scores, density: float, floor: FloorSettings) -> Masks:
    """Keep the highest scores of the whole network, after every layer has got its floor.

    Args:
        scores: one float tensor per layer, of the weight's shape; higher is more important.
        density: fraction of all scored weights to keep, 0..1; the count is exact unless the floors alone exceed it.
        floor: what every layer keeps.

    Returns:
        a bool mask per layer.

    Raises:
        DivergedError: a score is not finite.

    """
    check_scores(scores)
    exempt = _exempt(scores)
    if exempt:
        ranked = {name: score for name, score in scores.items() if name not in exempt}
        chosen = {**exempt, **(select_global(ranked, density, floor) if ranked else {})}
        return {name: chosen[name] for name in scores}
    count = keep_count(sum(score.numel() for score in scores.values()), density)
    held: Masks = {}
    while True:
        rest = {name: score for name, score in scores.items() if name not in held}
        masks = _best(rest, max(0, count - _kept(held)))
        low = {name: s for name, s in rest.items() if _kept({name: masks[name]}) < floor.count(s)}
        if not low:
            return {name: {**held, **masks}[name] for name in scores}
        # their places are taken from the others, of which some may now fall below their floors
        held |= {name: _best({name: score}, floor.count(score))[name] for name, score in low.items()}


def select_per_layer(scores: Scores, density: float, floor: FloorSettings) -> Masks:
    """Keep the same fraction of every layer, by its own scores."""
    check_scores(scores)
    exempt = _exempt(scores)
    return {
        name: exempt[name]
        if name in exempt
        else _best({name: score}, max(floor.count(score), keep_count(score.numel(), density)))[name]
        for name, score in scores.items()
    }


def keep_top(flat: Tensor, count: int) -> Tensor:
    """A bool mask of exactly `count` highest values of a vector; of equal values the first positions win.

    Args:
        flat: ``[n]`` without NaN; compared in float32 where it is too long to sort.
        count: 0..n.

    """
    return _keep_top([flat], count)[0]


def check_scores(scores: Scores) -> None:
    """Refuse scores that cannot be compared.

    Raises:
        DivergedError: a score is not finite.

    """
    for name, score in scores.items():
        if has_evidence(score) and not bool(torch.isfinite(score).all()):
            raise DivergedError("scores are not finite", where=name, remedy="lower the learning rate")


def _exempt(scores: Scores) -> Masks:
    """Whole masks of the layers without a score: they are kept, and do not count towards the density."""
    return {name: torch.ones_like(s, dtype=torch.bool) for name, s in scores.items() if not has_evidence(s)}


def _best(scores: Scores, count: int) -> Masks:
    """Masks of the `count` highest scores of these layers together."""
    kept = _keep_top([score.detach().flatten().float() for score in scores.values()], count)
    return {name: mask.view(score.shape) for (name, score), mask in zip(scores.items(), kept, strict=True)}


def _keep_top(vectors: Sequence[Tensor], count: int) -> list[Tensor]:
    sizes = [vector.numel() for vector in vectors]
    if sum(sizes) > SORTED_AT_MOST:
        return keep_top_by_histogram([vector.float() for vector in vectors], count)
    if not vectors:
        return []
    order = torch.sort(torch.cat(list(vectors)), descending=True, stable=True).indices
    kept = torch.zeros_like(order, dtype=torch.bool)
    kept[order[:count]] = True
    return list(torch.split(kept, sizes))


def _kept(masks: Masks) -> int:
    # Tensor.sum would widen a bool mask to int64 first
    return sum(int(torch.count_nonzero(mask)) for mask in masks.values())
