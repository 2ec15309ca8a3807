"""Costs of a network, dense and compressed, as sections of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch.nn.utils import parametrize

from disparsity.base.errors import InputError
from disparsity.base.trace.dry_run import trace_network
from disparsity.base.trace.unused import unused_modules
from disparsity.checkpoint.packed import pack_network
from disparsity.datasets.decoders.limits import MAX_PIXELS
from disparsity.hwcost.codec.packed_network import PackedNetwork
from disparsity.hwcost.codec.weight_bytes import Packing
from disparsity.hwcost.costs import Compressed, Costs, network_costs
from disparsity.hwcost.models.comparison import Candidate, Comparison, compare
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.quantities import Number, Size
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.hwcost.tracing.activation_statistics import Observation, grid_codes
from disparsity.hwcost.tracing.layer_call import Workload
from disparsity.hwcost.tracing.live_activations import ActivationPeak, peak_activations
from disparsity.hwcost.tracing.workload import workload_of
from disparsity.pruning.channels.sizes import shrunk_layers
from disparsity.quant.attach import layer_bits
from disparsity.quant.bits import LayerBits
from disparsity.registries import summaries
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network


@dataclass(frozen=True, kw_only=True)
class NetworkSection:
    """What a network is; `parameters` are those that inference needs."""

    name: str | None
    parameters: int | None
    input_size: Size | None
    max_disparity: Number | None


@dataclass(frozen=True, kw_only=True)
class CostSections(Costs):
    """The cost sections of a report."""

    network: NetworkSection


def cost_sections(
    dense: StereoNetwork,
    compressed: StereoNetwork,
    size: Size,
    machine: Machine,
    *,
    packing: Packing | None = None,
    packed_file_bytes: int | None = None,
    observation: Observation | None = None,
) -> CostSections:
    """What `compressed` costs beside `dense`.

    Args:
        dense: the network before compression.
        compressed: the same network with masks and quantizers.
        size: height and width of the input.
        machine: that the figures are computed for.
        packing: the compressed network as `pack_and_measure` coded it; None codes it here, unless it is the dense one.
        packed_file_bytes: of the packed file; None takes the bytes of the packing.
        observation: what real pairs showed of the compressed network; None leaves null what needs it.

    Raises:
        InputError: the input is larger than any image that is read.

    """
    check_pixels(size)
    bits, same = layer_bits(compressed), dense is compressed
    run = traced(compressed, size, bits)
    packed = pack_network(compressed, run.unused)
    if packing is None and not same:
        packing = _pack(packed)
    if packed_file_bytes is None and packing is not None:
        packed_file_bytes = len(packing.content)
    after = Compressed(
        workload=run.workload,
        layers=packed.layers,
        packed_file_bytes=packed_file_bytes,
        coded_bytes=packing.weight_bytes.total if packing else None,
        peak=run.peak,
        grid_codes=grid_codes(compressed),
        observation=observation,
    )
    before = run if same else traced(dense, size)
    network = NetworkSection(
        name=dense.spec.name,
        parameters=before.workload.parameters,
        input_size=size,
        max_disparity=dense.spec.max_disparity,
    )
    return CostSections(**vars(network_costs(before.workload, after, machine, before.peak)), network=network)


def cost_comparison(networks: Mapping[str, StereoNetwork], size: Size, machine: Machine) -> Comparison:
    """Networks side by side, by name, under the machine's profile and under every profile of the package.

    Raises:
        InputError: an input that is too large.

    """
    check_pixels(size)
    profiles = {known.name: known for known in (machine.profile, *map(load_profile, summaries("profiles")))}
    candidates = [_candidate(name, network, size) for name, network in networks.items()]
    return compare(candidates, size, machine, list(profiles.values()))


@dataclass(frozen=True, kw_only=True)
class Traced:
    """What one run of a network shows: its work, its activations, and the modules that took no part."""

    workload: Workload
    peak: ActivationPeak
    unused: tuple[str, ...]


def traced(network: StereoNetwork, size: Size, bits: Mapping[str, LayerBits] | None = None) -> Traced:
    """What runs on an accelerator: heads that only training needs are no part of it."""
    trace = trace_network(network, (torch.zeros(1, 3, *size), torch.zeros(1, 3, *size)))
    return Traced(
        workload=workload_of(network, trace, bits, training_only=network.spec.training_only),
        peak=peak_activations(network, trace, bits),
        unused=unused_modules(network, trace),
    )


def _pack(network: PackedNetwork) -> Packing:
    from disparsity.hwcost.codec.packing import pack_and_measure  # noqa: PLC0415 - its compiler is slow to import

    return pack_and_measure(network)


def _candidate(name: str, network: StereoNetwork, size: Size) -> Candidate:
    run = traced(network, size, layer_bits(network))
    return Candidate(
        name=name,
        workload=run.workload,
        stored_bytes=len(_pack(pack_network(network, run.unused)).content),
        peak=run.peak,
    )


def dense_form(network: StereoNetwork) -> StereoNetwork:
    """The whole network without masks and quantizers; itself if nothing was taken from it."""
    masked = any(parametrize.is_parametrized(module) for module in network.modules())
    if masked or layer_bits(network) or shrunk_layers(network):
        return build_network(network.spec.name, **network.spec.settings)
    return network


def check_pixels(size: Size) -> None:
    """Refuse an input that could not be traced in memory.

    Raises:
        InputError: it has more pixels than any image that is read.

    """
    if size[0] * size[1] > MAX_PIXELS:
        raise InputError(
            "the input is too large", found=f"{size[0]}x{size[1]}", expected=f"at most {MAX_PIXELS} pixels"
        )
