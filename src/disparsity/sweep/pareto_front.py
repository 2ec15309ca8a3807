"""The runs that no other run beats in both error and cost."""

from __future__ import annotations

from collections.abc import Sequence


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Positions of the points that no other one equals or beats in both values and beats in one, by rising cost.

    Of equal points the first one counts.

    Args:
        points: (error, cost), the smaller the better.

    """
    order = sorted(range(len(points)), key=lambda index: (points[index][1], points[index][0], index))
    kept: list[int] = []
    for index in order:
        if not kept or points[index][0] < points[kept[-1]][0]:
            kept.append(index)
    return kept
