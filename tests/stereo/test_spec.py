"""The spec is plain data, and protected layers exist in every preset."""

from __future__ import annotations

import dataclasses
import json

import pytest

from disparsity.stereo.networks import NETWORKS, build_network


@pytest.mark.parametrize("name", NETWORKS)
def test_spec_of_every_preset_is_plain_data_about_layers_that_exist(name: str) -> None:
    network = build_network(name)
    spec = network.spec
    layers = dict(network.named_modules())
    assert spec.name == name
    assert json.loads(json.dumps(spec.settings)) == spec.settings
    assert {*spec.protected, *spec.wide_inputs, *spec.first} <= set(layers)
    one_score_or_one_per_plane = (1, spec.max_disparity // 4)
    assert all(layers[layer].out_channels in one_score_or_one_per_plane for layer in spec.protected)
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.name = "other"  # type: ignore[misc]


def test_modules_that_no_stage_compresses_and_names_that_only_look_alike() -> None:
    spec = dataclasses.replace(build_network("reference").spec, uncompressed=("refine.0",), training_only=("head",))
    assert not any(map(spec.compresses, ("refine.0", "refine.0.conv", "head", "head.2")))
    assert all(map(spec.compresses, ("refine", "refine.1", "refine.00", "header", "body.head")))
