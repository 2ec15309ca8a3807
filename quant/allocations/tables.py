"""Tables of cost and distortion by layer and option, shared by the allocations."""

from __future__ import annotations

import math
from collections.abc import Sequence

from disparsity.base.errors import InputError, exact

Table = Sequence[Sequence[float]]
"""One row per layer, one number per option; rows may differ in length."""


def total(table: Table, choices: Sequence[int]) -> float:
    """The sum over the layers of the chosen options' numbers, rounded once: two equal choices have equal sums."""
    return math.fsum(row[choice] for row, choice in zip(table, choices, strict=True))


def cheapest(costs: Table) -> list[int]:
    """The cheapest option of every layer."""
    return [min(range(len(row)), key=row.__getitem__) for row in costs]


def check_affordable(costs: Table, budget: float) -> None:
    """Refuse a budget that no choice meets.

    Raises:
        InputError: the cheapest options cost more.

    """
    least = total(costs, cheapest(costs))
    if least > budget:
        raise InputError(
            "the budget is below the cost of the fewest bits",
            found=exact(budget),
            expected=f"{exact(least)} or more",
            remedy="raise the budget or add lower candidates",
        )


def fill(choices: Sequence[int], distortion: Table, costs: Table, budget: float) -> list[int]:
    """Spend what is left of the budget: again and again the option that lowers distortion most per cost and fits."""
    chosen = list(choices)
    while (step := _best_step(chosen, distortion, costs, budget)) is not None:
        layer, option = step
        chosen[layer] = option
    return chosen


def _best_step(chosen: list[int], distortion: Table, costs: Table, budget: float) -> tuple[int, int] | None:
    best, most = None, 0.0
    for layer, now in enumerate(chosen):
        for option in range(len(costs[layer])):
            gain = distortion[layer][now] - distortion[layer][option]
            extra = costs[layer][option] - costs[layer][now]
            rate = math.inf if extra <= 0 else gain / extra
            if gain > 0 and rate > most and _fits(chosen, layer, option, costs, budget):
                best, most = (layer, option), rate
    return best


def _fits(chosen: list[int], layer: int, option: int, costs: Table, budget: float) -> bool:
    return total(costs, [*chosen[:layer], option, *chosen[layer + 1 :]]) <= budget
