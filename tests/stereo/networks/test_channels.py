"""Channel coupling and removal on every preset: the smaller network computes what the silenced one computes."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.flop_counter import FlopCounterMode

from disparsity.checkpoint.checkpoints import save_checkpoint
from disparsity.checkpoint.packed import read_network, write_network
from disparsity.checkpoint.restore import network_checkpoint, network_metadata, open_network
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.pruning.channels.layout import layouts
from disparsity.pruning.channels.masks import apply_channel_masks, removed_units
from disparsity.pruning.channels.removal import remove_channels
from disparsity.pruning.masks import masks_of
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.activations.settings import CalibrationSettings
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.finalise import finalise
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.quant.quantizers.settings import LSQSettings, MeanStepSettings
from disparsity.quant.settings import BitSettings
from disparsity.run.stages.layer_bits import bits_of
from disparsity.stereo.losses import smooth_l1
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import NETWORKS, build_network
from disparsity.stereo.networks.users import AdoptedNetwork
from disparsity.stereo.spec import NetworkSpec

_STEREONET = {"width": 6, "refinement_width": 5, "max_disparity": 16}
_PSMNET = {"width": 4, "blocks": 1, "max_disparity": 16, "largest_pool": 8}
_GWCNET = {"width": 4, "blocks": 1, "groups": 10, "max_disparity": 16}

SMALL: dict[str, dict[str, Any]] = {
    "reference": _STEREONET,
    "stereonet": _STEREONET | {"max_disparity": 32},
    "stereonet_8x": _STEREONET,
    "anynet": {},
    "anynet_spn": {},
    "psmnet_basic": _PSMNET,
    "psmnet_hourglass": _PSMNET,
    "psmnet_sceneflow_2018": _PSMNET,
    "psmnet_sceneflow_2021": _PSMNET,
    "gwcnet_g": _GWCNET,
    "gwcnet_gc": _GWCNET | {"concat_width": 4},
    "gcnet": {"width": 4, "blocks": 2, "max_disparity": 64},
    "mobilestereonet_2d": {"width": 4, "blocks": 1, "hourglass_width": 4, "max_disparity": 8},
    "dispnetc": {"width": 4, "max_disparity": 16},
}
EXPECTED_OBSTACLES = {"mobilestereonet_2d": ("Interlace at volume.interlace",)}
SHARE = 0.4

SIBLINGS = (
    *("stereonet", "stereonet_8x", "anynet", "gwcnet_g"),
    *("psmnet_basic", "psmnet_sceneflow_2018", "psmnet_sceneflow_2021"),
)
"""Presets with the layers of another one: what takes seconds is marked slow for them."""

every_family = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SIBLINGS else name for name in NETWORKS]
)


def build(name: str) -> StereoNetwork:
    torch.manual_seed(0)
    return build_network(name, **SMALL[name])


def views(network: StereoNetwork, batch: int = 1) -> tuple[Tensor, Tensor]:
    """A pair whose height and width the divisor does not divide."""
    size = (network.spec.divisor - 1, 2 * network.spec.divisor - 1)
    left = torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(7))
    return left, torch.roll(left, -2, dims=-1)


@pytest.fixture(scope="module")
def removal(remove: Callable[..., Any]) -> Callable[[str], Any]:
    """One removal per preset; tests must not change it."""
    return functools.cache(lambda name: remove(build(name), SHARE))


@torch.no_grad()
def maps_of(network: StereoNetwork) -> Tensor:
    return torch.stack(network.eval()(*views(network)))


def relative(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max().clamp(min=1.0))


@every_family
def test_masked_silenced_and_removed_are_equal(removal: Callable[[str], Any], name: str) -> None:
    found = removal(name)
    masked = copy.deepcopy(found.dense)
    apply_channel_masks(masked, found.coupling, found.removed)
    assert torch.equal(
        removed_units(layouts(masked, found.coupling), masks_of(masked), found.coupling.units), found.removed
    )
    from_masked = copy.deepcopy(masked)
    remove_channels(from_masked, found.coupling, found.removed)
    expected = maps_of(found.silenced)
    assert relative(maps_of(found.small), expected) < 1e-5
    assert relative(maps_of(from_masked), expected) < 1e-5
    assert relative(maps_of(masked), expected) < 1e-5
    assert relative(maps_of(found.dense), expected) > 1e-4


@every_family
def test_the_smaller_network_is_plain_whole_and_trains(removal: Callable[[str], Any], name: str) -> None:
    found = removal(name)
    small, dense = copy.deepcopy(found.small), found.dense
    assert found.coupling.obstacles == EXPECTED_OBSTACLES.get(name, ())
    assert not any(parametrize.is_parametrized(module) for module in small.modules())
    assert [type(module) for module in small.modules()] == [type(module) for module in dense.modules()]
    assert list(small.state_dict()) == list(dense.state_dict())
    share = sum(p.numel() for p in small.parameters()) / sum(p.numel() for p in dense.parameters())
    assert share < 1 - SHARE / 2
    maps = small.train()(*views(small, 2))
    truth = torch.full_like(maps[-1], 3.0)
    smooth_l1(maps, truth, torch.ones_like(truth, dtype=torch.bool), small.spec.loss_weights).backward()
    assert all(parameter.grad is not None for parameter in small.parameters())


@every_family
def test_macs_drop_by_what_torch_counts(removal: Callable[[str], Any], name: str) -> None:
    found = removal(name)
    pair = views(found.small)
    macs = [trace_workload(network, pair).dense_macs for network in (found.small, found.dense)]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        found.small(*pair)
    assert macs[0] * 2 == counter.get_total_flops()
    assert macs[0] < (1 - SHARE / 2) * macs[1]


@every_family
def test_protected_and_uncompressed_layers_keep_their_channels(name: str) -> None:
    network = build(name)
    coupling = network.channel_coupling()
    spec = network.spec
    assert all(set(coupling.outputs[layer]) == {-1} for layer in spec.protected)
    for layer, units in coupling.outputs.items():
        if not spec.compresses(layer):
            assert set(units) == {-1}
        if any(layer.startswith(f"{module}.") for module in spec.uncompressed):
            assert set(coupling.inputs[layer]) == {-1}
    produced = {unit for units in coupling.outputs.values() for unit in units}
    assert produced >= set(range(coupling.units))


@every_family
def test_a_checkpoint_brings_the_smaller_network_back(removal: Callable[[str], Any], name: str, tmp_path: Path) -> None:
    small = removal(name).small
    save_checkpoint(tmp_path / "checkpoint.json", network_checkpoint(small, {}))
    again = open_network(str(tmp_path), name)
    assert network_metadata(again) == network_metadata(small)
    assert torch.equal(maps_of(again), maps_of(small))


@pytest.mark.parametrize("name", ["gwcnet_gc", "dispnetc"])
def test_the_smaller_network_is_quantized_and_packed(removal: Callable[[str], Any], name: str, tmp_path: Path) -> None:
    small = copy.deepcopy(removal(name).small)
    fold_batchnorm(small, views(small))
    attach_quantizers(
        small, bits_of(small, BitSettings(weight_bits=5)), quantizer=LSQSettings(initialisation=MeanStepSettings())
    )
    calibrate(small, [views(small)], CalibrationSettings(samples_per_call=256))
    finalise(small)
    write_network(tmp_path / "packed.h5", small)
    again = read_network(tmp_path / "packed.h5")
    assert network_metadata(again) == network_metadata(small)
    assert torch.equal(maps_of(again), maps_of(small))


class Plain(nn.Module):
    """A network of a user's own, without our base class."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Conv2d(6, 8, 3, padding=1), nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.head(self.body(torch.cat([left, right], 1)).relu()).squeeze(1)


def test_a_network_of_a_users_own(remove: Callable[..., Any]) -> None:
    values = {"settings": {}, "divisor": 4, "mean": (0.5,) * 3, "std": (0.25,) * 3, "max_disparity": 8}
    found = remove(AdoptedNetwork(Plain(), NetworkSpec(name="plain", protected=("head",), **values)))
    assert found.coupling.outputs["network.body"] == found.coupling.inputs["network.head"] == tuple(range(8))
    assert found.small.network.body.out_channels == 4
    assert relative(maps_of(found.small), maps_of(found.silenced)) < 1e-5
