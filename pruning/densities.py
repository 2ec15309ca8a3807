"""Layer densities: scopes that set a density per layer; scores are then compared within each layer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from disparsity.pruning.selection import FloorSettings, Masks, Scores, check_scores, keep_count, keep_top

_HALVINGS = 200


def select_erk(scores: Scores, density: float, floor: FloorSettings, macs: Mapping[str, float]) -> Masks:
    """Densities by the Erdos-Renyi-kernel rule: small layers stay denser; scores compete within each layer.

    A layer's density is proportional to ``(sum of its weight's dimensions) / (their product)`` and at most 1. Source:
    RigL (Evci et al., ICML 2020), section 3, for input and output channels, kernel height and width. Interpretation:
    the third dimension of a 3D kernel is counted likewise; the channels are those that the weight's shape shows, per
    group where there are groups.
    """
    del macs
    relative = {name: sum(score.shape) / score.numel() for name, score in scores.items()}
    return _select(scores, density, floor, relative)


def select_mac_weighted(scores: Scores, density: float, floor: FloorSettings, macs: Mapping[str, float]) -> Masks:
    """Densities inversely proportional to the MACs that one weight costs; scores compete within each layer.

    Below the density 1 the layers are left with operations in proportion to their weights. Interpretation: no
    publication defines this scope.
    """
    return _select(scores, density, floor, {name: 1.0 / macs[name] for name in scores})


def spread(total: int, shares: Sequence[float], sizes: Sequence[int], floors: Sequence[int]) -> list[int]:
    """Whole numbers in proportion to shares, each between its floor and its size, with exactly this sum.

    What rounding down leaves goes to the largest remainders, of equal ones to the first.

    Args:
        total: the sum, at most that of the sizes; the floors stand even where their sum exceeds it.
        shares: positive.
        sizes: the most that each can get.
        floors: the least.

    """
    amounts = _amounts(total, shares, sizes, floors)
    counts = [int(amount) for amount in amounts]
    order = sorted(range(len(counts)), key=lambda i: -round(amounts[i] - counts[i], 9))
    missing = total - sum(counts)
    while missing > 0:
        for index in order:
            if missing > 0 and counts[index] < sizes[index]:
                counts[index] += 1
                missing -= 1
    return counts


def _select(scores: Scores, density: float, floor: FloorSettings, relative: Mapping[str, float]) -> Masks:
    check_scores(scores)
    sizes = [score.numel() for score in scores.values()]
    shares = [relative[name] * size for name, size in zip(scores, sizes, strict=True)]
    floors = [floor.count(score) for score in scores.values()]
    counts = spread(keep_count(sum(sizes), density), shares, sizes, floors)
    return {name: _top(score, count) for (name, score), count in zip(scores.items(), counts, strict=True)}


def _top(score: Tensor, count: int) -> Tensor:
    return keep_top(score.detach().flatten().float(), count).view(score.shape)


def _amounts(total: int, shares: Sequence[float], sizes: Sequence[int], floors: Sequence[int]) -> list[float]:
    """Shares times one factor, clamped, with a sum of `total` from below."""

    def scaled(factor: float) -> list[float]:
        return [min(max(factor * s, floor), size) for s, size, floor in zip(shares, sizes, floors, strict=True)]

    low, high = 0.0, max(size / share for size, share in zip(sizes, shares, strict=True))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if math.fsum(scaled(middle)) < total else (low, middle)
    return scaled(low)
