"""Settings of the allocation: names, ranges and what excludes what."""

from __future__ import annotations

from typing import Any

import pytest

from disparsity.base.errors import InputError
from disparsity.quant.allocations.registry import ALLOCATIONS
from disparsity.quant.allocations.settings import BUDGETS, AllocationSettings


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"allocation": "best"}, "unknown allocation; found best; expected uniform"),
        ({"budget": "seconds"}, "unknown budget; found seconds"),
        ({"candidates": ()}, "candidates must grow"),
        ({"candidates": (4, 3)}, "candidates must grow"),
        ({"candidates": (3, 3)}, "candidates must grow"),
        ({"candidates": (4, 99)}, "a candidate out of range; found 99"),
        ({"candidates": (4, 32)}, "a candidate in float"),
        ({"budget_bits": -1.0}, "budget out of range"),
        ({"budget_share": 1.5}, "budget out of range"),
        ({"budget_share": 0.1, "budget_bits": 4.0, "allocation": "greedy"}, "two budgets"),
        ({"evaluations": -1}, "impossible allocation"),
        ({"allocation_pairs": 0}, "impossible allocation"),
        ({"removed_share": 1.0, "allocation": "search"}, "impossible allocation"),
        (
            {"removed_share": 0.2, "allocation": "greedy"},
            "removed_share without a search; found greedy; expected search",
        ),
        ({"evaluations": 9, "allocation": "lagrangian"}, "evaluations without a search; found lagrangian"),
        ({"budget_bits": 3.0}, "a budget without an allocation; found uniform; expected greedy"),
        ({"budget_share": 0.1}, "a budget without an allocation"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        AllocationSettings(**changes)


def test_every_allocation_and_budget_has_a_sentence() -> None:
    assert list(ALLOCATIONS) == ["uniform", "greedy", "lagrangian", "search", "random"]
    assert all(kind.description for kind in ALLOCATIONS.values())
    assert all(BUDGETS.values())
    for name in ALLOCATIONS:
        AllocationSettings(allocation=name, budget_bits=0.0 if name == "uniform" else 2.5)
