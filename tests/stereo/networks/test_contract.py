"""Every preset through the same contract: shapes, gradients, modes, state, pruning, quantization, cost, packing.

A preset that joins `NETWORKS` needs small settings in `SMALL` and nothing else.
"""

from __future__ import annotations

import copy
import functools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from disparsity.base.layers import effective_weight, quantizable_layers
from disparsity.checkpoint.packed import read_network, write_network
from disparsity.checkpoint.restore import network_metadata
from disparsity.finetune.teachers import coarse_maps
from disparsity.hwcost.costs import Compressed, network_costs
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.hwcost.tracing.layer_call import Workload
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.pruning.masks import attach_masks, density, masks_of, set_masks, zero_pruned
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.scores.magnitude import magnitude_scores
from disparsity.pruning.selection import FloorSettings, select_global
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.activations.settings import CalibrationSettings
from disparsity.quant.attach import attach_quantizers, input_quantizer, layer_bits
from disparsity.quant.finalise import finalise
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.quant.grids.codes import integer_codes
from disparsity.quant.quantizers.settings import LSQSettings, MeanStepSettings
from disparsity.quant.settings import BitSettings
from disparsity.run.stages.layer_bits import bits_of
from disparsity.stereo.distributions import observed_similarities
from disparsity.stereo.losses import smooth_l1
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import NETWORKS, build_network

_STEREONET = {"width": 4, "refinement_width": 4, "max_disparity": 16}
_PSMNET = {"width": 2, "blocks": 1, "max_disparity": 16, "largest_pool": 8}
_GWCNET = {"width": 2, "blocks": 1, "groups": 4, "max_disparity": 16}
_ANYNET: dict[str, Any] = {}

SMALL: dict[str, dict[str, Any]] = {
    "reference": _STEREONET,
    "stereonet": _STEREONET | {"max_disparity": 32},
    "stereonet_8x": _STEREONET,
    "anynet": _ANYNET,
    "anynet_spn": _ANYNET,
    "psmnet_basic": _PSMNET,
    "psmnet_hourglass": _PSMNET,
    "psmnet_sceneflow_2018": _PSMNET,
    "psmnet_sceneflow_2021": _PSMNET,
    "gwcnet_g": _GWCNET,
    "gwcnet_gc": _GWCNET | {"concat_width": 2},
    "gcnet": {"width": 2, "max_disparity": 64},
    "mobilestereonet_2d": {"width": 2, "blocks": 1, "hourglass_width": 4, "max_disparity": 8},
    "dispnetc": {"width": 2, "max_disparity": 16},
}
"""Settings under which a preset is quick; its structure stays."""

_SEEDS = 4
"""In a network this narrow a ReLU may close a path altogether; with another seed it is another path."""

SIBLINGS = (
    *("stereonet", "stereonet_8x", "anynet", "gwcnet_g"),
    *("psmnet_basic", "psmnet_sceneflow_2018", "psmnet_sceneflow_2021"),
)
"""Presets with the layers of another one. What takes seconds is marked slow for them."""
FAMILIES = [name for name in NETWORKS if name not in SIBLINGS]

every_preset = pytest.mark.parametrize("name", NETWORKS)
every_family = pytest.mark.parametrize(
    "name", [*FAMILIES, *(pytest.param(name, marks=pytest.mark.slow) for name in SIBLINGS)]
)


def build(name: str, seed: int = 0) -> StereoNetwork:
    torch.manual_seed(seed)
    return build_network(name, **SMALL[name])


def views(network: StereoNetwork, batch: int = 1) -> tuple[Tensor, Tensor]:
    """A pair whose height and width the divisor does not divide."""
    size = (network.spec.divisor + 1, 2 * network.spec.divisor - 1)
    left = torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(7))
    return left, torch.roll(left, -2, dims=-1)


@functools.cache
def trained(name: str) -> StereoNetwork:
    """In eval mode, with BatchNorm statistics and weights that are not those of a fresh network."""
    network = build(name)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1.0 + 0.1 * torch.rand(parameter.shape, generator=torch.Generator().manual_seed(1)))
        network.train()(*views(network, 2))
    return network.eval()


@functools.cache
def pruned(name: str) -> StereoNetwork:
    network = copy.deepcopy(trained(name))
    candidates = prunable_layers(network, network.spec.protected)
    layers = {layer: module for layer, module in candidates.items() if network.spec.compresses(layer)}
    attach_masks(network, layers)
    set_masks(network, select_global(magnitude_scores(layers), 0.4, FloorSettings()))
    zero_pruned(network)
    return network


@functools.cache
def quantized(name: str) -> StereoNetwork:
    network = copy.deepcopy(pruned(name))
    example = views(network)
    fold_batchnorm(network, example)
    attach_quantizers(
        network, bits_of(network, BitSettings(weight_bits=5)), quantizer=LSQSettings(initialisation=MeanStepSettings())
    )
    calibrate(network, [example], CalibrationSettings(samples_per_call=256))
    finalise(network)
    return network


@functools.cache
def dense_workload(name: str) -> Workload:
    network = trained(name)
    return trace_workload(network, views(network), training_only=network.spec.training_only)


@torch.no_grad()
def maps_of(network: StereoNetwork) -> tuple[Tensor, ...]:
    return network(*views(network))


def test_every_preset_has_small_settings() -> None:
    assert list(SMALL) == list(NETWORKS)


@every_preset
@torch.no_grad()
def test_distributions_over_disparities_are_seen_at_every_volume_of_them(name: str) -> None:
    network = copy.deepcopy(trained(name))
    heads = {"psmnet_hourglass": 3, "psmnet_sceneflow_2018": 3, "psmnet_sceneflow_2021": 3, "gwcnet_g": 4}
    expected = heads | {"gwcnet_gc": 4, "mobilestereonet_2d": 4, "dispnetc": 0}
    with observed_similarities(network) as seen:
        network(*views(network))
    with coarse_maps(network), observed_similarities(network) as all_seen:
        network(*views(network))
    assert len(seen) == min(1, expected.get(name, 1))
    assert len(all_seen) == expected.get(name, 1)
    assert all(item.dim() == 4 and item.shape[1] > 1 for item in all_seen)


@every_preset
@torch.no_grad()
def test_maps_have_the_size_of_the_input(name: str) -> None:
    network = build(name).train()
    pair = views(network, 2)
    maps = network(*pair)
    fewer = network.eval()(*pair)
    assert len(maps) == len(network.spec.loss_weights)
    assert 1 <= len(fewer) <= len(maps)
    for disparity in (*maps, *fewer):
        assert disparity.shape == (2, *pair[0].shape[-2:])
        assert disparity.dtype == torch.float32
        assert bool(torch.isfinite(disparity).all())


@every_preset
def test_the_gradient_reaches_every_parameter(name: str) -> None:
    unreached: set[str] | None = None
    for seed in range(_SEEDS):
        zero = weights_without_gradient(build(name, seed).train())
        unreached = zero if unreached is None else unreached & zero
        if not unreached:
            break
    assert unreached == set()


def weights_without_gradient(network: StereoNetwork) -> set[str]:
    """Weights whose gradient is zero, after a check that every parameter has one and that all are finite."""
    maps = network(*views(network, 2))
    truth = torch.full_like(maps[-1], 3.0)
    smooth_l1(maps, truth, torch.ones_like(truth, dtype=torch.bool), network.spec.loss_weights).backward()
    gradients = {key: parameter.grad for key, parameter in network.named_parameters()}
    assert [key for key, gradient in gradients.items() if gradient is None] == []
    found = {key: gradient for key, gradient in gradients.items() if gradient is not None and gradient.dim() > 1}
    assert [key for key, gradient in found.items() if not bool(torch.isfinite(gradient).all())] == []
    return {key for key, gradient in found.items() if not bool(gradient.any())}


@every_preset
def test_eval_mode_changes_nothing_and_repeats_itself(name: str) -> None:
    network = copy.deepcopy(trained(name))
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    first, second = maps_of(network), maps_of(network)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())
    if any(isinstance(module, torch.nn.modules.batchnorm._BatchNorm) for module in network.modules()):
        network.train()(*views(network, 2))
        assert not all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())


@every_preset
def test_state_and_settings_rebuild_the_network(name: str) -> None:
    network = trained(name)
    torch.manual_seed(99)
    again = build_network(network.spec.name, **network.spec.settings).eval()
    assert again.spec == network.spec
    again.load_state_dict(network.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(maps_of(network), maps_of(again), strict=True))


@every_preset
def test_the_spec_names_what_the_network_has(name: str) -> None:
    network = trained(name)
    layers = quantizable_layers(network)
    spec = network.spec
    assert {*spec.first, *spec.protected, *spec.wide_inputs} <= set(layers)
    assert {*spec.training_only, *spec.uncompressed} <= {key for key, _ in network.named_modules()}
    assert all(layers[key].weight.shape[0] <= 64 for key in spec.protected)


@every_preset
def test_pruning_leaves_exact_zeros(name: str) -> None:
    network = pruned(name)
    masks = masks_of(network)
    assert density(masks) == pytest.approx(0.4, abs=0.02)
    assert not {key for key in masks if key in network.spec.protected or not network.spec.compresses(key)}
    for key, mask in masks.items():
        assert torch.equal(effective_weight(network.get_submodule(key)) != 0, mask)
    assert all(bool(torch.isfinite(disparity).all()) for disparity in maps_of(network))


@every_preset
@torch.no_grad()
def test_folding_changes_no_map(name: str) -> None:
    network = copy.deepcopy(pruned(name))
    before = maps_of(network)
    fold_batchnorm(network, views(network))
    for first, second in zip(before, maps_of(network), strict=True):
        torch.testing.assert_close(first, second, rtol=1e-3, atol=1e-3)


@every_family
def test_quantization_reaches_every_compressed_layer_and_keeps_zeros(name: str) -> None:
    network, masks = quantized(name), masks_of(pruned(name))
    expected = {key for key in quantizable_layers(network) if network.spec.compresses(key)}
    bits = layer_bits(network)
    assert set(bits) == expected
    for key in expected:
        layer = network.get_submodule(key)
        codes, _ = integer_codes(layer)
        assert int(codes.abs().max()) < 2 ** (bits[key].weights - 1)
        quantizer = input_quantizer(layer)
        assert quantizer is not None
        assert quantizer.low is not None
        if key in masks:
            assert not bool(effective_weight(layer)[~masks[key]].any())
    assert all(bool(torch.isfinite(disparity).all()) for disparity in maps_of(network))


@every_family
def test_macs_are_those_that_torch_counts(name: str) -> None:
    network = trained(name)
    pair = views(network)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(*pair)
    workload = dense_workload(name)
    assert workload.dense_macs * 2 == counter.get_total_flops()
    assert workload.unmodelled == ()
    kept = [value.numel() for key, value in network.named_parameters() if not is_left_out(network, key)]
    assert workload.parameters == sum(kept)


@every_family
def test_cost_of_the_compressed_network(name: str) -> None:
    network, left_out = quantized(name), trained(name).spec.training_only
    dense = dense_workload(name)
    compressed = trace_workload(network, views(network), layer_bits(network), left_out)
    machine = Machine(profile=load_profile("horowitz45"), array=(8, 8))
    report = network_costs(dense, Compressed(workload=compressed), machine)
    assert report.coverage.macs_modelled_percent == 100.0
    assert report.coverage.unmodelled == ()
    operations, cycles = report.operations, report.latency.cycles
    assert operations.dense_macs == dense.dense_macs == compressed.dense_macs
    assert 0 < operations.effectual_macs < operations.dense_macs
    assert 0 < cycles.compressed <= cycles.dense
    rows = {row.name: row for row in report.layers if row.weight_count}
    assert set(rows) == {key for key in quantizable_layers(network) if not is_left_out(network, key)}
    for key, bits in layer_bits(network).items():
        assert (rows[key].weight_bits, rows[key].activation_bits) == (bits.weights, bits.activations)
        assert rows[key].nnz == int(torch.count_nonzero(effective_weight(network.get_submodule(key))))


def is_left_out(network: StereoNetwork, layer: str) -> bool:
    return any(layer.startswith(f"{module}.") for module in network.spec.training_only)


@every_family
def test_packed_file_round_trip(name: str, tmp_path: Path) -> None:
    network = quantized(name)
    write_network(tmp_path / "packed.h5", network)
    again = read_network(tmp_path / "packed.h5")
    packed = {key for key in quantizable_layers(network) if not is_left_out(network, key)}
    for key in packed:
        before, after = network.get_submodule(key), again.get_submodule(key)
        assert torch.equal(effective_weight(before), effective_weight(after)), key
    assert network_metadata(again) == network_metadata(network)
    assert all(torch.equal(a, b) for a, b in zip(maps_of(network), maps_of(again), strict=True))
