"""Allocation `greedy`: takes bits from the layer whose error grows least per saved cost."""

from __future__ import annotations

from disparsity.quant.allocations.tables import Table, check_affordable, fill, total


def greedy(distortion: Table, costs: Table, budget: float) -> list[int]:
    """Start with the most bits everywhere and reduce one layer at a time, until the budget is met.

    Every step takes the layer whose next cheaper option adds the least distortion per saved cost. If the last step
    saves more than needed, the difference is spent again (`fill`). Interpretation: the usual sensitivity heuristic;
    papers differ in whether the saved cost counts.

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
    chosen = [max(range(len(row)), key=row.__getitem__) for row in costs]
    while total(costs, chosen) > budget:
        layer, option = _smallest_loss(chosen, distortion, costs)
        chosen[layer] = option
    return fill(chosen, distortion, costs, budget)


def _smallest_loss(chosen: list[int], distortion: Table, costs: Table) -> tuple[int, int]:
    steps = {}
    for layer, now in enumerate(chosen):
        below = [option for option, cost in enumerate(costs[layer]) if cost < costs[layer][now]]
        if below:
            option = max(below, key=costs[layer].__getitem__)
            added = distortion[layer][option] - distortion[layer][now]
            steps[layer, option] = added / (costs[layer][now] - costs[layer][option])
    return min(steps, key=steps.__getitem__)
