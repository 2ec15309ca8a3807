"""Channel masks: exact zeros everywhere, biases too, and the way back to units."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from disparsity.pruning.channels.layout import layouts
from disparsity.pruning.channels.masks import (
    apply_channel_masks,
    live_outputs,
    maskable_layers,
    removed_units,
)
from disparsity.pruning.masks import attach_masks, masks_of


def test_masks_cover_what_makes_and_what_reads_a_unit(network: nn.Module, coupling: Any) -> None:
    apply_channel_masks(network, coupling, torch.tensor([True, False, False, False, True]))
    masks = masks_of(network)
    assert set(masks) == set(maskable_layers(coupling)) == {"enter", "inner", "norm", "outer", "last"}
    assert masks["enter"].flatten(1).any(1).tolist() == [False, True, True]
    assert masks["inner"].flatten(2).any(2).tolist() == [[False, True, True], [False, False, False]]
    assert masks["outer"].flatten(2).any(2).tolist() == [[False, True, True], [False, False, False]]
    assert masks["last"].flatten().tolist() == [False, True, True]
    assert masks["norm"].tolist() == [True, False]


def test_a_removed_channel_is_zero_behind_its_normalisation(network: nn.Module, coupling: Any) -> None:
    apply_channel_masks(network, coupling, torch.tensor([False, True, False, True, False]))
    seen = {}
    for name in ("enter", "norm", "outer"):
        network.get_submodule(name).register_forward_hook(lambda _l, _i, o, name=name: seen.update({name: o.detach()}))
    network(torch.rand(2, 1, 5, 5))
    assert not bool(seen["enter"][:, 1].any() or seen["outer"][:, 1].any() or seen["norm"][:, 0].any())
    assert bool(seen["norm"][:, 1].any())
    assert network.enter.bias[1] == network.norm.bias[0] == 0.0


def test_units_are_read_back_from_masks(network: nn.Module, coupling: Any) -> None:
    removed = torch.tensor([True, False, False, False, True])
    apply_channel_masks(network, coupling, removed)
    assert torch.equal(removed_units(layouts(network, coupling), masks_of(network), 5), removed)


def test_nothing_removed_changes_nothing(network: nn.Module, coupling: Any) -> None:
    image = torch.rand(1, 1, 5, 5)
    before = network(image)
    apply_channel_masks(network, coupling, torch.zeros(5, dtype=torch.bool))
    assert torch.equal(network(image), before)


def test_live_outputs_of_a_grouped_transposed_convolution() -> None:
    layer = nn.ConvTranspose2d(4, 6, 1, groups=2)
    mask = torch.ones_like(layer.weight, dtype=torch.bool)
    mask[2:, 1] = False
    assert live_outputs(layer, mask).tolist() == [True, True, True, True, False, True]


def test_layers_that_nothing_happens_to_get_no_mask(hand_made: Any) -> None:
    coupling = hand_made(outputs={"0": (-1, -1), "1": (0,)}, inputs={"0": (-1,), "1": (-1, -1)}, units=1)
    assert maskable_layers(coupling) == ["1"]


def test_masks_that_are_there_already_are_used(network: nn.Module, coupling: Any) -> None:
    attach_masks(network, ["inner"])
    apply_channel_masks(network, coupling, torch.tensor([True, False, False, False, False]))
    assert len(network.inner.parametrizations["weight"]) == 1
