"""Settings of the bit allocations: the method that chooses weight bits, and its budget."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from disparsity.base.choice import Choice
from disparsity.base.settings import Count, Fraction, FractionBelowOne, PositiveCount, settings
from disparsity.base.settings_errors import Mistake
from disparsity.quant.bits import FLOAT_BITS, MAX_BITS


@settings
class UniformAllocationSettings:
    """The same bits for every layer but the first, protected, wide and named ones."""

    name: Literal["uniform"] = "uniform"


@settings
class BudgetSettings:
    """What an allocation may spend, and on what it measures.

    Attributes:
        budget: what is limited: `bytes` (unpruned weights times their bits, and the entropy bound of their positions),
            `bops` (products with unpruned weights times weight bits times activation bits), or `energy` (of these
            products and their sums, by the report's profile).
        budget_bits: the limit is what this many bits in every layer would cost, whole or not; 0 takes `weight_bits`.
        budget_fraction: instead of `budget_bits`: the limit as a fraction of the dense float32 network's cost.
        candidates: the bits to choose from.
        pairs: calibration pairs on which distortion is measured, without labels.

    """

    budget: Literal["bytes", "bops", "energy"] = "bytes"
    budget_bits: Annotated[float, Field(ge=0, le=FLOAT_BITS)] = 0.0
    budget_fraction: Fraction = 0.0
    candidates: tuple[Annotated[int, Field(ge=1, le=MAX_BITS)], ...] = (2, 3, 4, 5, 6, 7, 8)
    pairs: PositiveCount = 2

    def __post_init__(self) -> None:
        """Refuse two budgets, and candidates that do not grow."""
        if self.budget_bits and self.budget_fraction:
            raise Mistake("two budgets", expected="budget_bits or budget_fraction, not both")
        if not self.candidates or sorted(set(self.candidates)) != list(self.candidates):
            raise Mistake("not growing", key="candidates", found=self.candidates, expected="e.g. [2, 3, 4]")


@settings
class RemovingSettings(BudgetSettings):
    """What a search may do that tries whole plans.

    Attributes:
        evaluations: networks that may be measured; 0 takes as many as `lagrangian` needs, one for each candidate of
            each layer.
        removed_fraction: fraction of its output channels that may be taken from a layer: 0 bits.

    """

    evaluations: Count = 0
    removed_fraction: FractionBelowOne = 0.0


@settings
class GreedySettings(BudgetSettings):
    """From the most bits down, where the output changes least per saved cost."""

    name: Literal["greedy"] = "greedy"


@settings
class LagrangianSettings(BudgetSettings):
    """Equal slopes of the output's change over cost, and the rest of the budget spent greedily."""

    name: Literal["lagrangian"] = "lagrangian"


@settings
class SearchSettings(RemovingSettings):
    """Learned: a layer controller for channels of 0 bits, a channel controller for the others' bits."""

    name: Literal["search"] = "search"


@settings
class RandomSearchSettings(RemovingSettings):
    """The best of random plans, the control of the search."""

    name: Literal["random"] = "random"


AllocationSettings = Annotated[
    UniformAllocationSettings | GreedySettings | LagrangianSettings | SearchSettings | RandomSearchSettings,
    Choice("uniform"),
]
