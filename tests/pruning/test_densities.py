"""Densities of layers by hand, and exact sums whatever the shares."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from disparsity.pruning.densities import select_erk, select_mac_weighted, spread
from disparsity.pruning.selection import FloorSettings

NO_FLOOR = FloorSettings(fraction=0.0)
SHAPES = {"plane": (2, 2, 3, 3), "volume": (2, 1, 3, 3, 3), "linear": (4, 5)}


def scores() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {name: torch.rand(shape, generator=generator) for name, shape in SHAPES.items()}


@pytest.mark.parametrize(
    ("density", "expected"),
    [
        # sums of dimensions 10, 12, 9; products 36, 54, 20: 22 of 110 weights are shared out as 7.10, 8.52, 6.39
        (0.2, [7, 9, 6]),
        # 88 of 110: the linear layer is full, 68 remain for 10 : 12, which is 30.91 and 37.09
        (0.8, [31, 37, 20]),
        (1.0, [36, 54, 20]),
    ],
)
def test_erk_by_hand(density: float, expected: list[int]) -> None:
    masks = select_erk(scores(), density, NO_FLOOR, {})
    assert [int(mask.sum()) for mask in masks.values()] == expected


def test_within_a_layer_the_highest_scores_stay() -> None:
    given_scores = scores()
    for name, mask in select_erk(given_scores, 0.3, NO_FLOOR, {}).items():
        assert float(given_scores[name][mask].min()) > float(given_scores[name][~mask].max())


def test_densities_fall_with_the_macs_of_a_weight() -> None:
    values = {"cheap": torch.rand(100), "dear": torch.rand(100)}
    masks = select_mac_weighted(values, 0.25, NO_FLOOR, {"cheap": 0.25, "dear": 1.0})
    assert [int(mask.sum()) for mask in masks.values()] == [40, 10]
    masks = select_mac_weighted(values, 0.75, NO_FLOOR, {"cheap": 0.25, "dear": 1.0})
    assert [int(mask.sum()) for mask in masks.values()] == [100, 50]


layers = st.lists(st.tuples(st.floats(1e-6, 1e6), st.integers(1, 500), st.floats(0, 1)), min_size=1, max_size=8)


@given(layers, st.floats(0, 1))
def test_sums_are_exact_and_every_count_between_floor_and_size(
    given_layers: list[tuple[float, int, float]], density: float
) -> None:
    shares = [share for share, _, _ in given_layers]
    sizes = [size for _, size, _ in given_layers]
    floors = [max(1, int(part * size)) for _, size, part in given_layers]
    total = max(1, round(density * sum(sizes)))
    counts = spread(total, shares, sizes, floors)
    assert sum(counts) == max(total, sum(floors))
    assert all(floor <= count <= size for floor, count, size in zip(floors, counts, sizes, strict=True))


def test_equal_remainders_go_to_the_first() -> None:
    assert spread(5, [1.0, 1.0, 1.0], [9, 9, 9], [1, 1, 1]) == [2, 2, 1]
