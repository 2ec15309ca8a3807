"""What a network costs, dense and compressed, as sections of a report."""

from __future__ import annotations

from typing import Any

import torch

from disparsity.datasets.limits import MAX_PIXELS
from disparsity.errors import InputError
from disparsity.hwcost.activations import peak_activations
from disparsity.hwcost.packing import pack
from disparsity.hwcost.reports.schema import SCHEMA, VERSION, empty_report
from disparsity.hwcost.summary import Compressed, Machine, summarise
from disparsity.hwcost.technology import load_profile
from disparsity.hwcost.workload import trace_workload
from disparsity.packed import pack_network
from disparsity.quant.attach import layer_bits
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network


def cost_sections(
    dense: StereoNetwork,
    compressed: StereoNetwork,
    packed_bytes: int,
    size: tuple[int, int],
    machine: Machine,
) -> dict[str, Any]:
    """The sections network, memory, operations, hardware, latency, activations, coverage and layers.

    Args:
        dense: the network before compression.
        compressed: the same network with masks and quantizers.
        packed_bytes: of the compressed network's packed file.
        size: height and width of the input.
        machine: profile, array and dataflow.

    Raises:
        InputError: the input is larger than any image that is read.

    """
    check_pixels(size)
    views = (torch.zeros(1, 3, *size), torch.zeros(1, 3, *size))
    bits = layer_bits(compressed)
    left_out = dense.spec.training_only
    before = trace_workload(dense, views, training_only=left_out)
    after = Compressed(
        workload=trace_workload(compressed, views, bits, left_out),
        layers=pack_network(compressed).layers,
        packed_file_bytes=packed_bytes,
        peak=peak_activations(compressed, views, bits),
    )
    return {
        "network": {
            "name": dense.spec.name,
            "parameters": before.parameters,
            "input_size": list(size),
            "max_disparity": dense.spec.max_disparity,
        },
        **summarise(before, after, machine, peak_activations(dense, views)),
    }


def cost_report(
    network: StereoNetwork, size: tuple[int, int], profile: str, array: tuple[int, int], dataflow: str
) -> dict[str, Any]:
    """A report of costs alone; a compressed network is compared with its own dense form.

    Raises:
        InputError: an unknown profile or dataflow, or an input that is too large.

    """
    check_pixels(size)
    machine = Machine(profile=load_profile(profile), array=array, dataflow=dataflow)
    dense = build_network(network.spec.name, **network.spec.settings)
    packed_bytes = len(pack(pack_network(network)))
    sections = cost_sections(dense, network, packed_bytes, size, machine)
    return {**empty_report(), **sections, "schema": SCHEMA, "version": VERSION}


def check_pixels(size: tuple[int, int]) -> None:
    """Refuse an input that could not be traced in memory.

    Raises:
        InputError: it has more pixels than any image that is read.

    """
    if size[0] * size[1] > MAX_PIXELS:
        raise InputError(
            "the input is too large", found=f"{size[0]}x{size[1]}", expected=f"at most {MAX_PIXELS} pixels"
        )
