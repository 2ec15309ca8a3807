"""Presets by name: sizes, changed settings, and names that do not exist."""

from __future__ import annotations

import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.stereo.networks import NETWORKS, build_network


def test_published_size_and_preset_literals() -> None:
    counts = {name: sum(p.numel() for p in build_network(name).parameters()) for name in NETWORKS}
    assert counts["stereonet"] == 425_378
    # one 5x5 convolution of 32 channels less than 16x
    assert counts["stereonet_8x"] == 425_378 - (32 * 32 * 25 + 32)
    assert counts["reference"] * 4 < 4 << 20
    assert build_network("stereonet").spec.divisor == 16
    assert build_network("stereonet_8x").spec.divisor == 8


def test_changes_override_single_settings_and_rebuild_the_same_network() -> None:
    network = build_network("reference", width=4, max_disparity=16)
    assert network.spec.settings["width"] == 4
    assert network.spec.settings["refinement_width"] == 16
    again = build_network(network.spec.name, **network.spec.settings)
    assert again.spec == network.spec
    assert {n: t.shape for n, t in again.state_dict().items()} == {n: t.shape for n, t in network.state_dict().items()}


def test_same_seed_gives_the_same_weights() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(5)
        states.append(build_network("stereonet", width=4).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_unknown_name_names_the_nearest_and_unknown_setting_lists_what_exists() -> None:
    with pytest.raises(InputError, match=r"unknown network 'sterionet'; .*did you mean 'stereonet'"):
        build_network("sterionet")
    with pytest.raises(InputError, match="unknown network 'zzz'; expected reference, stereonet"):
        build_network("zzz")
    with pytest.raises(InputError, match=r"widht.*refinement_width"):
        build_network("stereonet", widht=4)
