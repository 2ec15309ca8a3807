"""The registry of scopes: exact counts, floors, refusals."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from disparsity.base.errors import DivergedError
from disparsity.pruning.scopes import SCOPES
from disparsity.pruning.selection import FloorSettings

NO_FLOOR = FloorSettings(fraction=0.0)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_scores_that_are_not_finite_are_refused_by_name(scope: str, value: float) -> None:
    scores = {"first": torch.ones(2), "second": torch.tensor([1.0, value])}
    with pytest.raises(DivergedError, match="second: scores are not finite"):
        SCOPES[scope](scores, 0.5, NO_FLOOR, {"first": 1.0, "second": 1.0})


@pytest.mark.parametrize("scope", [name for name in SCOPES if name != "per_layer"])
@given(st.lists(st.integers(1, 60), min_size=1, max_size=5), st.floats(0, 1), st.integers(0, 99))
def test_counts_are_exact_and_no_layer_is_emptied(scope: str, sizes: list[int], density: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    scores = {str(i): torch.rand(size, generator=generator).round(decimals=1) for i, size in enumerate(sizes)}
    macs = {name: 1.0 / (1 + int(name)) for name in scores}
    masks = SCOPES[scope](scores, density, NO_FLOOR, macs)
    counts = [int(mask.sum()) for mask in masks.values()]
    assert sum(counts) == max(len(sizes), round(density * sum(sizes)))
    assert min(counts) >= 1
