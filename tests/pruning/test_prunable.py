"""Which layers can be pruned, and protected ones."""

from __future__ import annotations

import pytest
from torch import nn

from disparsity.base.errors import InputError
from disparsity.pruning.prunable import prunable_layers
from disparsity.stereo.networks import build_network


def test_weighted_layers_in_order_without_norms_and_activations() -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1), nn.ReLU(), nn.ConvTranspose3d(1, 1, 1), nn.Linear(1, 1)
    )
    assert list(prunable_layers(network)) == ["0", "3", "4"]
    assert list(prunable_layers(network, ["3"])) == ["0", "4"]


def test_protected_layers_of_a_stereo_network_stay_out() -> None:
    network = build_network("stereonet", halvings=2, width=4, refinement_width=4, max_disparity=16)
    layers = prunable_layers(network, network.spec.protected)
    assert len(layers) == 2 + 13 + 4 + 13
    assert not set(network.spec.protected) & set(layers)
    assert all(network.get_submodule(name) is layer for name, layer in layers.items())


def test_unknown_protected_name_is_refused() -> None:
    with pytest.raises(InputError, match=r"found \['gone'\]"):
        prunable_layers(nn.Sequential(nn.Linear(1, 1)), ["gone"])
    with pytest.raises(InputError, match=r"found \['1'\]"):
        prunable_layers(nn.Sequential(nn.Linear(1, 1), nn.ReLU()), ["1"])
