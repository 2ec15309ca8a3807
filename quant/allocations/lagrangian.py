"""Allocation `lagrangian`: equal slopes of distortion over cost."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from disparsity.quant.allocations.tables import Table, check_affordable, fill, total


def lagrangian(distortion: Table, costs: Table, budget: float) -> list[int]:
    """The options that minimise distortion + lambda * cost, for the smallest lambda that the budget allows.

    As lambda falls, the layers move along the lower convex hulls of their (cost, distortion) points, the steepest
    segment of the network first. Where the next segment no longer fits, what is left of the budget is spent greedily,
    on options off the hulls too. The result is no further from the optimum than that segment is high.

    Source: Shoham and Gersho, IEEE TASSP 1988 (bit allocation by Lagrange multipliers on hulls); Young et al.,
    Transform Quantization, TPAMI 2021, algorithm 1 (distortion of the network's output, one block at a time), of which
    distortions are taken to add up. Interpretation: the greedy rest.

    Args:
        distortion: by layer and option, measured with this layer alone.
        costs: of the same shape, in the budget's unit.
        budget: never exceeded.

    Returns:
        an option per layer.

    Raises:
        InputError: the cheapest options cost more than the budget.

    """
    check_affordable(costs, budget)
    hulls = [lower_hull(*rows) for rows in zip(distortion, costs, strict=True)]
    chosen = [hull[0] for hull in hulls]
    for _, layer, option in _segments(hulls, distortion, costs):
        tried = [*chosen[:layer], option, *chosen[layer + 1 :]]
        if total(costs, tried) > budget:
            break
        chosen = tried
    return fill(chosen, distortion, costs, budget)


def lower_hull(distortion: Sequence[float], costs: Sequence[float]) -> list[int]:
    """The options on the lower convex hull of one layer's points, from the cheapest on, each with less distortion."""
    hull: list[int] = []
    for option in sorted(range(len(costs)), key=lambda index: (costs[index], distortion[index])):
        if hull and distortion[option] >= distortion[hull[-1]]:
            continue
        while len(hull) > 1 and _rate(distortion, costs, hull[-2], hull[-1]) <= _rate(
            distortion, costs, hull[-1], option
        ):
            hull.pop()
        hull.append(option)
    return hull


def _segments(hulls: list[list[int]], distortion: Table, costs: Table) -> list[tuple[float, int, int]]:
    """(distortion saved per cost, layer, option at the segment's end), the steepest first; a layer's own in order."""
    found = []
    for layer, hull in enumerate(hulls):
        for before, after in pairwise(hull):
            found.append((_rate(distortion[layer], costs[layer], before, after), layer, after))
    return sorted(found, key=lambda segment: -segment[0])


def _rate(distortion: Sequence[float], costs: Sequence[float], before: int, after: int) -> float:
    return (distortion[before] - distortion[after]) / (costs[after] - costs[before])
