"""What the trace of whole networks says, and what it leaves alone."""

from __future__ import annotations

import dataclasses
import json

import torch
from torch import nn

from disparsity.stereo.channels.coupling import KEPT
from disparsity.stereo.channels.trace import trace_coupling
from disparsity.stereo.networks import build_network


def test_the_network_is_left_as_it_is() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(), nn.Conv2d(4, 2, 1)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    trace_coupling(network, [torch.rand(2, 3, 4, 4, generator=torch.Generator())])
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert network.training
    assert not network[0]._forward_hooks


def test_layers_that_are_kept() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 5, 1), nn.Conv2d(5, 6, 1), nn.Conv2d(6, 2, 1))
    image = torch.rand(1, 3, 4, 4)
    assert set(trace_coupling(network, [image], kept_outputs=["1"]).outputs["1"]) == {KEPT}
    assert KEPT not in trace_coupling(network, [image], kept_outputs=["1"]).outputs["0"]
    assert set(trace_coupling(network, [image], kept=["1"]).outputs["0"]) == {KEPT}


def test_deterministic_mode_changes_nothing() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(4, 2, 1))
    torch.use_deterministic_algorithms(mode=True)
    try:
        assert trace_coupling(network, [torch.rand(1, 3, 4, 4)]).units == 4
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(mode=False)


def test_stereonet_couples_its_tower_with_its_cost_filter() -> None:
    coupling = build_network("reference", width=4, refinement_width=3, max_disparity=16).channel_coupling()
    tower = coupling.outputs["downsampling.2"]
    blocks = [f"six_residual_blocks.{index}.conv2d_2" for index in range(6)]
    assert all(coupling.outputs[name] == tower for name in blocks)
    assert coupling.outputs["six_residual_blocks.6"] == coupling.inputs["cost_volume_filter.0.conv3d"] != tower
    assert coupling.outputs["cost_volume_filter.4"] == coupling.outputs["refine.7"] == (KEPT,)
    assert coupling.inputs["refine.0"] == (KEPT,) * 4
    assert KEPT not in coupling.outputs["refine.0"]


def test_psmnet_concatenates_both_views() -> None:
    coupling = build_network("psmnet_hourglass", width=2, blocks=1, max_disparity=16, largest_pool=8).channel_coupling()
    head = coupling.outputs["feature_extraction.lastconv.2"]
    assert coupling.inputs["dres0.0.0"] == head + head


def test_gwcnet_balances_its_groups() -> None:
    coupling = build_network("gwcnet_gc", width=8, blocks=1, max_disparity=16, concat_width=4).channel_coupling()
    (family,) = coupling.balanced
    assert {len(group) for group in family} == {2}
    assert coupling.averages == {"correlation": 80}
    assert coupling.inputs["dres0.0.0"][:40] == (KEPT,) * 40
    assert coupling.inputs["dres0.0.0"][40:] == 2 * coupling.outputs["feature_extraction.lastconv.2"]


def test_groups_that_cut_through_layers_are_tied() -> None:
    coupling = build_network("gwcnet_g", width=2, blocks=1, groups=4, max_disparity=16).channel_coupling()
    assert coupling.balanced == ()
    assert len(set(coupling.outputs["feature_extraction.layer4.2.conv2.0"])) == 1


def test_what_is_not_compressed_keeps_its_channels() -> None:
    coupling = build_network("anynet_spn").channel_coupling()
    spared = [name for name in coupling.outputs if name.startswith("refine_spn")]
    assert spared
    assert all({*coupling.outputs[name], *coupling.inputs[name]} == {KEPT} for name in spared)


def test_a_coupling_is_plain_data() -> None:
    coupling = build_network("reference", width=2, refinement_width=2, max_disparity=16).channel_coupling()
    assert json.loads(json.dumps(dataclasses.asdict(coupling)))["units"] == coupling.units
