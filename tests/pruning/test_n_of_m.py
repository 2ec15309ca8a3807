"""N:M: the law in every group, along the right axis, remainders, and the best of each group."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from disparsity.pruning.n_of_m import GroupLaw, best_of_groups


def most_in_a_group(mask: Tensor, axis: int, of: int) -> int:
    return max(int(group.sum(axis).max()) for group in torch.split(mask, of, dim=axis))


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 11), st.integers(1, 3), st.integers(0, 99))
def test_the_law_holds_and_groups_are_filled(kept: int, more: int, channels: int, rows: int, seed: int) -> None:
    of = kept + more
    values = torch.rand(rows, channels, 2, generator=torch.Generator().manual_seed(seed)).round(decimals=1)
    mask = best_of_groups(values, kept, of)
    for start in range(0, channels, of):
        part, chosen = values[:, start : start + of], mask[:, start : start + of]
        assert bool((chosen.sum(1) == min(kept, part.shape[1])).all())
        lowest_kept = torch.where(chosen, part, 9.0).amin(1)
        highest_lost = torch.where(chosen, -9.0, part).amax(1)
        assert bool((lowest_kept >= highest_lost).all())


def test_by_hand_with_a_remainder_and_ties() -> None:
    values = torch.tensor([3.0, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]).view(1, 7, 1)
    assert best_of_groups(values, 2, 4).flatten().int().tolist() == [1, 0, 0, 1, 1, 1, 0]


def test_groups_lie_along_the_input_channels() -> None:
    layers = {
        "plane": nn.Conv2d(8, 3, 3),
        "volume": nn.Conv3d(6, 2, 3),
        "linear": nn.Linear(8, 3),
        "transposed": nn.ConvTranspose3d(8, 3, 3),
    }
    law = GroupLaw(2, 4, layers)
    masks = law.allowed({name: torch.rand_like(layer.weight) for name, layer in layers.items()}, 2)
    assert [int(masks[name].sum()) for name in ("plane", "linear", "transposed")] == [108, 12, 324]
    assert all(most_in_a_group(masks[name], 1, 4) == 2 for name in ("plane", "volume", "linear"))
    assert most_in_a_group(masks["transposed"], 0, 4) == 2


def test_groups_of_a_transposed_convolution_do_not_mix() -> None:
    layer = nn.ConvTranspose2d(6, 4, 1, groups=2)
    mask = GroupLaw(1, 4, {"a": layer}).allowed({"a": torch.rand_like(layer.weight)}, 1)["a"]
    assert int(mask[:3].sum()) == int(mask[3:].sum()) == 2


def test_what_is_kept_on_the_way_to_a_density() -> None:
    law = GroupLaw(2, 4, {})
    assert [law.kept_at(density) for density in (1.0, 0.8, 0.75, 0.51, 0.5, 0.1)] == [4, 4, 3, 3, 2, 2]
