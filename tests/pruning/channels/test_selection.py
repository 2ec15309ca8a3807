"""Which units go: the lowest, down to the density, no layer emptied, balanced groups equal."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from disparsity.base.errors import DivergedError
from disparsity.pruning.channels.layout import Layout, layouts
from disparsity.pruning.channels.masks import channel_masks
from disparsity.pruning.channels.selection import select_units


def shapes_of(network: nn.Module, names: list[str]) -> dict[str, torch.Size]:
    return {name: network.get_submodule(name).weight.shape for name in names}


def density_of(found: dict[str, Layout], shapes: dict[str, torch.Size], removed: Tensor) -> float:
    masks = channel_masks(found, shapes, removed)
    return sum(int(m.sum()) for m in masks.values()) / sum(m.numel() for m in masks.values())


def test_the_lowest_go_first(network: nn.Module, coupling: Any) -> None:
    found, shapes = layouts(network, coupling), shapes_of(network, ["inner", "outer"])
    scores = torch.tensor([5.0, 1.0, 4.0, 3.0, 2.0])
    assert select_units(found, shapes, scores, 1.0, 0.0).tolist() == [False] * 5
    assert select_units(found, shapes, scores, 0.7, 0.0).tolist() == [False, True, False, False, False]
    assert select_units(found, shapes, scores, 0.4, 0.0).tolist() == [False, True, False, False, True]
    assert select_units(found, shapes, scores, 0.0, 0.0).tolist() == [False, True, True, False, True]


def test_the_floor_is_a_share_of_the_channels(network: nn.Module, coupling: Any) -> None:
    found, shapes = layouts(network, coupling), shapes_of(network, ["inner", "outer"])
    removed = select_units(found, shapes, torch.arange(5.0), 0.0, 0.6)
    assert removed.tolist() == [True, False, False, True, False]


def test_equal_scores_go_in_order(network: nn.Module, coupling: Any) -> None:
    found, shapes = layouts(network, coupling), shapes_of(network, ["inner"])
    assert select_units(found, shapes, torch.ones(5), 0.6, 0.0).tolist() == [True, True, False, False, False]


def test_what_is_not_finite_is_refused(network: nn.Module, coupling: Any) -> None:
    scores = torch.tensor([1.0, float("nan"), 1.0, 1.0, 1.0])
    with pytest.raises(DivergedError, match="not finite"):
        select_units(layouts(network, coupling), shapes_of(network, ["inner"]), scores, 0.5, 0.0)


CHAIN = nn.Sequential(nn.Conv2d(2, 8, 3), nn.Conv2d(8, 6, 3), nn.Conv2d(6, 3, 1))
GROUPS = ((0, 1, 2, 3), (4, 5, 6, 7))


@given(st.integers(0, 1000), st.floats(0.05, 1.0), st.floats(0.0, 0.5), st.booleans())
def test_density_floor_and_balance(seed: int, density: float, floor: float, balanced: bool) -> None:
    outputs = {"0": range(8), "1": range(8, 14), "2": (-1,) * 3}
    inputs = {"0": (-1, -1), "1": range(8), "2": range(8, 14)}
    found = {
        name: Layout(
            torch.tensor(list(outputs[name])), torch.tensor(list(inputs[name])), torch.tensor(list(outputs[name]))
        )
        for name in outputs
    }
    shapes = shapes_of(CHAIN, list(outputs))
    scores = torch.rand(14, generator=torch.Generator().manual_seed(seed))
    removed = select_units(found, shapes, scores, density, floor, [GROUPS] if balanced else [])
    kept = [int((~removed[list(units)]).sum()) for units in (outputs["0"], outputs["1"])]
    floors = [max(1, round(floor * 8)), max(1, round(floor * 6))]
    assert all(count >= least for count, least in zip(kept, floors, strict=True))
    stuck = kept[0] - (2 if balanced else 1) < floors[0] and kept[1] - 1 < floors[1]
    assert density_of(found, shapes, removed) <= density or stuck
    if balanced:
        assert int(removed[:4].sum()) == int(removed[4:8].sum())
        for group in GROUPS:
            lowest = sorted(group, key=lambda unit: float(scores[unit]))[: int(removed[list(group)].sum())]
            assert removed[lowest].all()
