"""What a network costs, dense and compressed, as sections of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn.utils import parametrize

from disparsity.base.errors import InputError
from disparsity.base.trace.dry_run import trace_network
from disparsity.checkpoint.packed import pack_network
from disparsity.datasets.decoders.limits import MAX_PIXELS
from disparsity.hwcost.codec.packed_network import PackedNetwork
from disparsity.hwcost.codec.weight_bytes import WeightBytes
from disparsity.hwcost.models.comparison import Candidate, compare
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.hwcost.summary import Compressed, summarise
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


def cost_sections(
    dense: StereoNetwork,
    compressed: StereoNetwork,
    packed_bytes: int | None,
    size: tuple[int, int],
    machine: Machine,
    observation: Observation | None = None,
) -> dict[str, Any]:
    """The section network, and those of `hwcost.summary.summarise`.

    Args:
        dense: the network before compression.
        compressed: the same network with masks and quantizers.
        packed_bytes: of the compressed network's packed file; None packs it in memory, unless it is the dense one.
        size: height and width of the input.
        machine: that the figures are computed for.
        observation: what real pairs showed of the compressed network; None leaves null what needs it.

    Raises:
        InputError: the input is larger than any image that is read.

    """
    check_pixels(size)
    bits = layer_bits(compressed)
    packed = pack_network(compressed)
    same = dense is compressed
    content, weight_bytes = (None, None) if same else _packed(packed)
    workload, peak = traced(compressed, size, bits)
    after = Compressed(
        workload=workload,
        layers=packed.layers,
        packed_file_bytes=len(content) if packed_bytes is None and content is not None else packed_bytes,
        weight_bytes=weight_bytes,
        peak=peak,
        grid_codes=grid_codes(compressed),
        observation=observation,
    )
    before, before_peak = (workload, peak) if same else traced(dense, size)
    return {
        "network": {
            "name": dense.spec.name,
            "parameters": before.parameters,
            "input_size": list(size),
            "max_disparity": dense.spec.max_disparity,
        },
        **summarise(before, after, machine, before_peak),
    }


def cost_comparison(networks: Mapping[str, StereoNetwork], size: tuple[int, int], machine: Machine) -> dict[str, Any]:
    """Networks side by side, by name, under the machine's profile and under every profile of the package.

    Raises:
        InputError: an input that is too large.

    """
    check_pixels(size)
    profiles = {known.name: known for known in (machine.profile, *map(load_profile, summaries("profiles")))}
    candidates = [_candidate(name, network, size) for name, network in networks.items()]
    return compare(candidates, size, machine, list(profiles.values()))


def traced(
    network: StereoNetwork, size: tuple[int, int], bits: Mapping[str, LayerBits] | None = None
) -> tuple[Workload, ActivationPeak]:
    """What runs on an accelerator: heads that only training needs are no part of it."""
    trace = trace_network(network, (torch.zeros(1, 3, *size), torch.zeros(1, 3, *size)))
    workload = workload_of(network, trace, bits, training_only=network.spec.training_only)
    return workload, peak_activations(network, trace, bits)


def _packed(network: PackedNetwork) -> tuple[bytes, WeightBytes]:
    from disparsity.hwcost.codec.packing import pack_and_measure  # noqa: PLC0415 - its compiler is slow to import

    return pack_and_measure(network)


def _candidate(name: str, network: StereoNetwork, size: tuple[int, int]) -> Candidate:
    workload, peak = traced(network, size, layer_bits(network))
    return Candidate(
        name=name,
        workload=workload,
        stored_bytes=len(_packed(pack_network(network))[0]),
        peak=peak,
    )


def dense_form(network: StereoNetwork) -> StereoNetwork:
    """The whole network without masks and quantizers; itself if nothing was taken from it."""
    masked = any(parametrize.is_parametrized(module) for module in network.modules())
    if masked or layer_bits(network) or shrunk_layers(network):
        return build_network(network.spec.name, **network.spec.settings)
    return network


def check_pixels(size: tuple[int, int]) -> None:
    """Refuse an input that could not be traced in memory.

    Raises:
        InputError: it has more pixels than any image that is read.

    """
    if size[0] * size[1] > MAX_PIXELS:
        raise InputError(
            "the input is too large", found=f"{size[0]}x{size[1]}", expected=f"at most {MAX_PIXELS} pixels"
        )
