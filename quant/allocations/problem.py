"""Allocation problem and its solution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from disparsity.quant.allocations.tables import Table


@dataclass(frozen=True)
class Plan:
    """A solution: bits and removed channels of every layer.

    Attributes:
        options: by layer, the index of its bits among its candidates.
        removed: by layer, how many of its output channels get 0 bits, the least important ones.

    """

    options: tuple[int, ...]
    removed: tuple[int, ...]

    @staticmethod
    def whole(options: list[int]) -> Plan:
        """A plan that removes nothing."""
        return Plan(tuple(options), (0,) * len(options))


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A bit allocation problem.

    Attributes:
        widths: by layer, the candidates for its bits, growing; a layer whose bits are fixed has one.
        costs: by layer and candidate, in the budget's unit, with all channels.
        budget: not to be exceeded.
        left: by layer, the fraction of its cost that is left without its 0, 1, 2, ... least important channels; as many
            entries as may be removed, and one.
        importance: by layer, the sum of the scores of its weights.
        features: by layer, numbers that describe it for a controller, the same ones for every layer.
        table: measures the distortion by layer and candidate, every other layer in float; this takes as many
            evaluations as it has entries.
        measure: the distortion of the network under a plan: one evaluation.
        evaluations: how often a search may measure.
        seed: of a search.

    """

    widths: tuple[tuple[int, ...], ...]
    costs: Table
    budget: float
    left: Table
    importance: tuple[float, ...]
    features: Table
    table: Callable[[], Table]
    measure: Callable[[Plan], float]
    evaluations: int
    seed: int


def options_to_measure(widths: tuple[tuple[int, ...], ...]) -> int:
    """How many networks have to be measured for a table of distortions: one per candidate where there is a choice."""
    return sum(len(row) for row in widths if len(row) > 1)


def cost_of(plan: Plan, costs: Table, left: Table) -> list[float]:
    """What every layer costs under a plan."""
    layers = zip(costs, left, plan.options, plan.removed, strict=True)
    return [row[option] * shares[removed] for row, shares, option, removed in layers]
