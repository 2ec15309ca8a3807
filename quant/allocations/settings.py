"""Settings of the allocation of bits."""

from __future__ import annotations

from dataclasses import dataclass

from disparsity.base.errors import InputError
from disparsity.quant.allocations.registry import ALLOCATIONS
from disparsity.quant.bits import FLOAT_BITS, check_bits

BUDGETS = {
    "bytes": "unpruned weights times their bits, and the entropy bound of their positions",
    "bops": "products with unpruned weights times weight bits times activation bits",
    "energy": "of these products and their sums, by the report's profile",
}


@dataclass(frozen=True, kw_only=True)
class AllocationSettings:
    """Who chooses the weight bits of the layers that no other setting fixes, and what they may cost.

    The first and the protected layers, and those that `layer_bits` names, keep their bits; their cost counts. Weights
    that a quantizer rounds to zero count too: the network that comes out costs no more than was planned.

    Attributes:
        allocation: a name in `ALLOCATIONS`.
        budget: what is limited, a name in `BUDGETS`.
        budget_bits: the limit is what this many bits in every layer would cost, whole or not; 0 takes `weight_bits`.
        budget_share: instead of `budget_bits`: the limit as a share of the dense float32 network's cost, 0..1.
        candidates: the bits to choose from.
        evaluations: networks that `search` and `random` may measure; 0 takes as many as `lagrangian` needs, one for
            each candidate of each layer.
        removed_share: share of its output channels that `search` and `random` may take from a layer: 0 bits.
        allocation_pairs: calibration pairs on which distortion is measured, without labels.

    """

    allocation: str = "uniform"
    budget: str = "bytes"
    budget_bits: float = 0.0
    budget_share: float = 0.0
    candidates: tuple[int, ...] = (2, 3, 4, 5, 6, 7, 8)
    evaluations: int = 0
    removed_share: float = 0.0
    allocation_pairs: int = 2

    def __post_init__(self) -> None:
        """Refuse unknown names and values outside their range."""
        for key, name, known in (("allocation", self.allocation, ALLOCATIONS), ("budget", self.budget, BUDGETS)):
            if name not in known:
                raise InputError(f"unknown {key}", found=name, expected=", ".join(known))
        for width in self.candidates:
            check_bits(width, what="a candidate")
        if not self.candidates or sorted(set(self.candidates)) != list(self.candidates):
            raise InputError("candidates must grow", found=list(self.candidates), expected="e.g. [2, 3, 4]")
        if FLOAT_BITS in self.candidates:
            raise InputError("a candidate in float", found=FLOAT_BITS, expected="integer widths")
        if not (0 <= self.budget_bits <= FLOAT_BITS and 0 <= self.budget_share <= 1):
            raise InputError("budget out of range", found=self, expected="budget_bits in 0..32, budget_share in 0..1")
        if self.budget_bits and self.budget_share:
            raise InputError("two budgets", found=self, expected="budget_bits or budget_share, not both")
        if self.evaluations < 0 or self.allocation_pairs < 1 or not 0 <= self.removed_share < 1:
            expected = "evaluations >= 0, allocation_pairs >= 1, 0 <= removed_share < 1"
            raise InputError("impossible allocation", found=self, expected=expected)
        self._check_use()

    def _check_use(self) -> None:
        """Refuse what the allocation would not look at."""
        kind = ALLOCATIONS[self.allocation]
        searches = ", ".join(name for name, other in ALLOCATIONS.items() if other.removes)
        for key in ("removed_share", "evaluations"):
            if getattr(self, key) and not kind.removes:
                raise InputError(f"{key} without a search", found=self.allocation, expected=searches)
        if kind.choose is None and (self.budget_bits or self.budget_share):
            choosing = ", ".join(name for name, other in ALLOCATIONS.items() if other.choose is not None)
            raise InputError("a budget without an allocation", found=self.allocation, expected=choosing)
