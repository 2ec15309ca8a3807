"""Settings of the allocations: ranges and what excludes what."""

from __future__ import annotations

from typing import Any

import pytest

from disparsity.base.choice import names_of
from disparsity.base.errors import InputError
from disparsity.quant.allocations.registry import ALLOCATIONS
from disparsity.quant.allocations.settings import AllocationSettings, GreedySettings, SearchSettings


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budget": "seconds"}, "budget: unknown name 'seconds'; expected bytes, bops, energy"),
        ({"candidates": ()}, "candidates: not growing"),
        ({"candidates": (4, 3)}, r"candidates: not growing; found \[4, 3\]; expected e.g. \[2, 3, 4\]"),
        ({"candidates": (3, 3)}, "candidates: not growing"),
        ({"candidates": (4, 99)}, "candidates: out of range; found 99; expected 1..16"),
        ({"candidates": (4, 32)}, "candidates: out of range; found 32"),
        ({"budget_bits": -1.0}, "budget_bits: out of range; found -1.0; expected 0..32"),
        ({"budget_fraction": 1.5}, "budget_fraction: out of range"),
        (
            {"budget_fraction": 0.1, "budget_bits": 4.0},
            "two budgets; expected budget_bits or budget_fraction, not both",
        ),
        ({"pairs": 0}, "pairs: out of range; found 0; expected 1 or more"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        GreedySettings(**changes)


@pytest.mark.parametrize("changes", [{"evaluations": -1}, {"removed_fraction": 1.0}])
def test_what_a_search_cannot_do_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="out of range"):
        SearchSettings(**changes)
    with pytest.raises(InputError, match=f"unknown key '{next(iter(changes))}'"):
        GreedySettings(**changes)


def test_every_allocation_but_uniform_bits_chooses() -> None:
    assert ["uniform", *ALLOCATIONS] == names_of(AllocationSettings)
