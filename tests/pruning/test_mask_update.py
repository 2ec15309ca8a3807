"""Masks of an event by scope and pattern: counts, nested masks, returning weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from disparsity.pruning.mask_update import competition, with_returning
from disparsity.pruning.n_of_m import best_of_groups
from disparsity.pruning.settings import PruneSettings

LAYERS: dict[str, nn.Module] = {"a": nn.Conv2d(8, 4, 3), "b": nn.Conv3d(6, 4, 3), "c": nn.Conv2d(3, 8, 1)}
MACS = {"a": 1.0, "b": 0.2, "c": 0.5}


def scores(seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.rand(layer.weight.shape, generator=generator) for name, layer in LAYERS.items()}


def select(density: float, values: dict[str, Tensor], **changes: Any) -> dict[str, Tensor]:
    return competition(PruneSettings(**({"sparsity": 0.9} | changes)), LAYERS, MACS)(values, density)


def kept(masks: dict[str, Tensor]) -> int:
    return sum(int(mask.sum()) for mask in masks.values())


TOTAL = sum(layer.weight.numel() for layer in LAYERS.values())


@pytest.mark.parametrize("scope", ["global", "per_layer"])
@pytest.mark.parametrize("density", [0.5, 0.3, 0.1])
def test_n_of_m_is_exact_below_its_density_and_keeps_the_law(scope: str, density: float) -> None:
    masks = select(density, scores(), pattern="2:4", scope=scope)
    assert abs(kept(masks) - density * TOTAL) <= (0.5 if scope == "global" else 1.5)
    for mask in masks.values():
        groups = best_of_groups(mask.float().flatten(2), 2, 4).view(mask.shape)
        assert not bool((mask & ~groups).any())


def test_on_the_way_every_group_is_cut_alike_and_nothing_returns() -> None:
    values = scores()
    three = select(0.7, values, pattern="2:4")
    assert torch.equal(three["a"], best_of_groups(values["a"].flatten(2), 3, 4).view(values["a"].shape))
    live = {name: torch.where(three[name], score, -1.0) for name, score in values.items()}
    two = select(0.5, live, pattern="2:4")
    assert all(not bool((two[name] & ~three[name]).any()) for name in two)


@pytest.mark.parametrize("scope", ["global", "per_layer", "erk", "mac_weighted"])
@pytest.mark.parametrize("density", [0.5, 0.1, 0.01])
def test_kernels_are_whole_and_no_layer_is_emptied(scope: str, density: float) -> None:
    masks = select(density, scores(), pattern="kernel", scope=scope)
    for mask in masks.values():
        share = mask.flatten(2).float().mean(2)
        assert bool(((share == 0) | (share == 1)).all())
        assert bool(mask.any())
    assert kept(masks) <= max(density * TOTAL + 1, 9 + 27 + 1)
    assert kept(masks) > density * TOTAL - 9 - 27 - 27


def test_returning_weights_are_ranked_below_all_others() -> None:
    weighed = {"a": torch.tensor([0.0, -1.0, -1.0, 2.0, -1.0])}
    values = {"a": torch.tensor([0.0, 1e-30, 5.0, 2.0, 0.0])}
    ranked = with_returning(weighed, values)["a"]
    assert ranked.sort(descending=True, stable=True).indices.tolist() == [3, 0, 2, 1, 4]
    assert bool(torch.isfinite(ranked).all())
