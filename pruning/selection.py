"""Selection by score: exact counts, ties broken by position, no layer emptied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from disparsity.errors import DivergedError
from disparsity.pruning.threshold import keep_top_by_histogram

Scores = Mapping[str, Tensor]
Masks = dict[str, Tensor]

SORTED_AT_MOST = 1 << 20
"""Longer vectors are not sorted: a sort moves 16 bytes per value about, many times."""


@dataclass(frozen=True, kw_only=True)
class FloorSettings:
    """The weights that every layer keeps whatever its scores.

    Attributes:
        share: of the layer's weights, 0..1.
        per_filter: weights per output filter (first axis).
        whole_slices: counts are rounded up to whole k x k slices (all axes behind the second).

    """

    share: float = 0.002
    per_filter: float = 0.0
    whole_slices: bool = False

    def count(self, score: Tensor) -> int:
        """How many weights a layer with this score tensor keeps at least."""
        wanted = max(1.0, self.share * score.numel(), self.per_filter * score.shape[0])
        size = score[0, 0].numel() if self.whole_slices and score.dim() > 1 else 1
        return min(score.numel(), -(-int(wanted) // size) * size)


def keep_count(total: int, density: float) -> int:
    """The exact number of weights that a density keeps: the nearest integer, at least one."""
    return max(1, round(density * total))


def select_global(scores: Scores, density: float, floor: FloorSettings) -> Masks:
    """Keep the highest scores of the whole network, after every layer has got its floor.

    Args:
        scores: one float tensor per layer, of the weight's shape; higher is more important.
        density: share of all weights to keep, 0..1; the count is exact unless the floors alone exceed it.
        floor: what every layer keeps.

    Returns:
        a bool mask per layer.

    Raises:
        DivergedError: a score is not finite.

    """
    check_scores(scores)
    flat = torch.cat([score.detach().flatten().float() for score in scores.values()])
    count = keep_count(flat.numel(), density)
    masks = _split(keep_top(flat, count), scores)
    if all(int(torch.count_nonzero(masks[name])) >= floor.count(score) for name, score in scores.items()):
        return masks
    kept = torch.cat([keep_top(score.detach().flatten().float(), floor.count(score)) for score in scores.values()])
    missing = count - int(torch.count_nonzero(kept))
    if missing > 0:
        kept |= keep_top(torch.where(kept, -torch.inf, flat), missing)
    return _split(kept, scores)


def select_per_layer(scores: Scores, density: float, floor: FloorSettings) -> Masks:
    """Keep the same share of every layer, by its own scores."""
    check_scores(scores)
    return {
        name: keep_top(
            score.detach().flatten().float(), max(floor.count(score), keep_count(score.numel(), density))
        ).view(score.shape)
        for name, score in scores.items()
    }


def keep_top(flat: Tensor, count: int) -> Tensor:
    """A bool mask of exactly `count` highest values of a vector; of equal values the first positions win.

    Args:
        flat: ``[n]`` without NaN; compared in float32 where it is too long to sort.
        count: 0..n.

    """
    if flat.numel() > SORTED_AT_MOST:
        return keep_top_by_histogram(flat.float(), count)
    order = torch.sort(flat, descending=True, stable=True).indices
    kept = torch.zeros(flat.numel(), dtype=torch.bool)
    kept[order[:count]] = True
    return kept


def check_scores(scores: Scores) -> None:
    """Refuse scores that cannot be compared.

    Raises:
        DivergedError: a score is not finite.

    """
    for name, score in scores.items():
        if not bool(torch.isfinite(score).all()):
            raise DivergedError("scores are not finite", where=name, remedy="lower the learning rate")


def _split(flat: Tensor, like: Scores) -> Masks:
    pieces = torch.split(flat, [score.numel() for score in like.values()])
    return {name: piece.view(score.shape) for (name, score), piece in zip(like.items(), pieces, strict=True)}
