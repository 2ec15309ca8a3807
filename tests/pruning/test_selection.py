"""Selection: exact counts, ties by position, floors, no emptied layer, against a sort in plain Python."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from disparsity.pruning.selection import (
    FloorSettings,
    keep_count,
    keep_top,
    select_global,
    select_per_layer,
)

NO_FLOOR = FloorSettings(fraction=0.0)

score_lists = st.lists(st.lists(st.floats(0, 4, width=16), min_size=1, max_size=15), min_size=1, max_size=5)


def tensors(lists: list[list[float]]) -> dict[str, Tensor]:
    return {f"l{number}": torch.tensor(values) for number, values in enumerate(lists)}


def kept(masks: dict[str, Tensor]) -> int:
    return sum(int(mask.sum()) for mask in masks.values())


def naive_global(lists: list[list[float]], density: float, share: float) -> list[list[bool]]:
    """Floors first, then the best of the rest; equal scores in order of position."""
    masks = [[False] * len(values) for values in lists]
    for values, mask in zip(lists, masks, strict=True):
        floor = min(len(values), int(max(1.0, share * len(values))))
        for place in sorted(range(len(values)), key=lambda i: -values[i])[:floor]:
            mask[place] = True
    rest = [(layer, i) for layer, mask in enumerate(masks) for i in range(len(mask)) if not mask[i]]
    rest.sort(key=lambda place: -lists[place[0]][place[1]])
    total = sum(map(len, lists))
    for layer, place in rest[: max(0, max(1, round(density * total)) - sum(map(sum, masks)))]:
        masks[layer][place] = True
    return masks


@given(score_lists, st.floats(0, 1), st.floats(0, 1))
def test_global_selection_equals_a_plain_sort(lists: list[list[float]], density: float, share: float) -> None:
    masks = select_global(tensors(lists), density, FloorSettings(fraction=share))
    assert [mask.tolist() for mask in masks.values()] == naive_global(lists, density, share)


@given(score_lists, st.floats(0, 1), st.floats(0, 1))
def test_counts_are_exact_unless_the_floors_exceed_them(lists: list[list[float]], density: float, share: float) -> None:
    floor, scores = FloorSettings(fraction=share), tensors(lists)
    masks = select_global(scores, density, floor)
    floors = sum(floor.count(score) for score in scores.values())
    assert kept(masks) == max(floors, keep_count(sum(map(len, lists)), density))
    assert all(int(masks[name].sum()) >= floor.count(scores[name]) >= 1 for name in scores)
    assert all(masks[name].dtype == torch.bool and masks[name].shape == scores[name].shape for name in scores)


@given(score_lists, st.floats(0, 1), st.floats(0, 1))
def test_a_denser_mask_contains_a_sparser_one(lists: list[list[float]], one: float, other: float) -> None:
    sparse = select_global(tensors(lists), min(one, other), NO_FLOOR)
    dense = select_global(tensors(lists), max(one, other), NO_FLOOR)
    assert all(bool((dense[name] | ~sparse[name]).all()) for name in sparse)


@given(score_lists, st.floats(0, 1))
def test_per_layer_keeps_the_same_share_of_each(lists: list[list[float]], density: float) -> None:
    masks = select_per_layer(tensors(lists), density, NO_FLOOR)
    assert [int(mask.sum()) for mask in masks.values()] == [max(1, round(density * len(v))) for v in lists]


def test_ties_are_broken_by_position_across_layers() -> None:
    scores = {"a": torch.ones(4), "b": torch.ones(2, 3)}
    masks = select_global(scores, 0.6, NO_FLOOR)
    assert masks["a"].tolist() == [True] * 4
    assert masks["b"].tolist() == [[True, True, False], [False, False, False]]


def test_keep_top_is_stable_on_many_equal_values() -> None:
    flat = torch.zeros(10_001)
    assert keep_top(flat, 5_000).nonzero().squeeze(1).tolist() == list(range(5_000))


def test_no_layer_is_emptied_by_an_extreme_score() -> None:
    scores = {"huge": torch.full((1000,), 1e9), "tiny": torch.full((1000,), 1e-9), "one": torch.zeros(1)}
    masks = select_global(scores, 0.001, FloorSettings())
    assert [int(masks[name].sum()) for name in scores] == [2, 2, 1]


def test_places_that_floors_take_can_push_another_layer_to_its_floor() -> None:
    scores = {"a": torch.arange(10.0) + 20, "b": torch.arange(10.0) + 10, "c": torch.arange(10.0)}
    masks = select_global(scores, 0.5, FloorSettings(fraction=0.4))  # places 10, 5, 0; then 10, 1, 4; then 7, 4, 4
    assert [int(masks[name].sum()) for name in scores] == [7, 4, 4]
    assert masks["c"].tolist() == [False] * 6 + [True] * 4


def test_floors_come_before_the_density() -> None:
    scores = {"a": torch.arange(10.0), "b": torch.arange(10.0)}
    masks = select_global(scores, 0.05, FloorSettings(fraction=0.3))
    assert [mask.tolist() for mask in masks.values()] == [[False] * 7 + [True] * 3] * 2


def test_floor_counts() -> None:
    score = torch.zeros(8, 4, 3, 3)
    assert FloorSettings(fraction=0.1).count(score) == 28
    assert FloorSettings(fraction=0.0, per_filter=1.5).count(score) == 12
    assert FloorSettings(fraction=0.0).count(score) == 1
    assert FloorSettings(fraction=1.0, per_filter=99.0).count(score) == score.numel()
    assert FloorSettings(fraction=0.1, whole_slices=True).count(score) == 36
    assert FloorSettings(fraction=0.1, whole_slices=True).count(torch.zeros(8, 4)) == 3


def test_pruned_scores_below_zero_lose_against_live_zeros() -> None:
    masks = select_global({"a": torch.tensor([-1.0, 0.0, -1.0, 0.0])}, 0.5, NO_FLOOR)
    assert masks["a"].tolist() == [False, True, False, True]


def test_all_equal_zero_scores_still_give_the_exact_count() -> None:
    assert kept(select_global({"a": torch.zeros(100), "b": torch.zeros(900)}, 0.1, FloorSettings())) == 100
