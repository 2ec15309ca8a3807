"""MACs, bit operations and weight bits against QONNX's inference cost, layer by layer of whole networks."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from disparsity.base.layers import quantizable_layers
from disparsity.hwcost.models.operations import mac_product
from disparsity.hwcost.tracing.layer_call import LayerCall
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.quant.bits import LayerBits
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network
from hardware.environment import run_peer

NETWORKS = ("reference", "stereonet", "anynet", "psmnet_hourglass", "gwcnet_gc", "mobilestereonet_2d")
SIZE = (256, 512)
WEIGHT_BITS, ACTIVATION_BITS = (4, 8, 3, 2), (8, 4, 6)
KEPT = 0.4


def measure(python: Path) -> dict[str, Any]:
    """Weights are drawn as integers of each layer's width, 60 % of them zero; bits change from layer to layer."""
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        traced = [_calls(name) for name in NETWORKS]
        job = [_write(folder, name, *both) for name, both in zip(NETWORKS, traced, strict=True)]
        answer = run_peer(python, "qonnx_costs", {"networks": job}, folder)
    found = zip(NETWORKS, traced, answer["networks"], strict=True)
    return {"rows": [_compare(name, calls, costs) for name, (calls, _), costs in found]}


def _calls(name: str) -> tuple[list[LayerCall], StereoNetwork]:
    network = build_network(name).eval()
    widths = itertools.cycle(itertools.product(WEIGHT_BITS, ACTIVATION_BITS))
    layers = quantizable_layers(network)
    bits = {layer: LayerBits(weights=w, activations=a) for layer, (w, a) in zip(layers, widths, strict=False)}
    with torch.no_grad():
        for layer, module in layers.items():
            weight: Any = module.weight
            top = 2 ** (bits[layer].weights - 1)
            codes = torch.randint(1, top, weight.shape) if top > 2 else torch.ones_like(weight)
            signs = torch.randint(0, 2, weight.shape) * 2 - 1
            weight.copy_(codes * signs * (torch.rand_like(weight) < KEPT))
    workload = trace_workload(network, (torch.zeros(1, 3, *SIZE),) * 2, bits)
    return [call for call in workload.calls if call.weight_count], network


def _write(folder: Path, name: str, calls: list[LayerCall], network: StereoNetwork) -> dict[str, Any]:
    """The weights in a file, the layers as what ONNX says of them."""
    trained: dict[str, Any] = {call.name: network.get_submodule(call.name).weight for call in calls}
    weights: dict[str, Any] = {name: weight.detach().numpy().astype(np.int8) for name, weight in trained.items()}
    path = folder / f"{name}.npz"
    np.savez(path, **weights)
    return {"weights": str(path), "layers": [_layer(call) for call in calls]}


def _layer(call: LayerCall) -> dict[str, Any]:
    attributes = {
        "kernel_shape": call.kernel,
        "strides": call.stride,
        "pads": [*call.padding, *call.padding],
        "dilations": call.dilation,
        "group": call.groups,
    }
    if call.kind.startswith("ConvTranspose"):
        attributes["output_padding"] = _output_padding(call)
    return {
        "op": "ConvTranspose" if call.kind.startswith("ConvTranspose") else "Conv",
        "weight": call.name,
        "attributes": attributes,
        "input_shape": call.input_shape,
        "output_shape": call.output_shape,
        "weight_bits": call.weight_bits,
        "activation_bits": call.activation_bits,
    }


def _output_padding(call: LayerCall) -> list[int]:
    axes = zip(call.input_shape[2:], call.output_shape[2:], call.kernel, call.stride, call.padding, strict=True)
    return [out - ((size - 1) * stride - 2 * near + kernel) for size, out, kernel, stride, near in axes]


def _compare(name: str, calls: list[LayerCall], costs: dict[str, Any]) -> dict[str, Any]:
    convolutions = [call for call in calls if not call.kind.startswith("ConvTranspose")]
    skipped = [call for call in calls if call.kind.startswith("ConvTranspose")]
    nodes = {key: [found["node_cost"][f"Conv_{index}"] for index in range(len(convolutions))]
             for key, found in costs.items()}  # fmt: skip
    equal = sum(
        _ours(call) == _theirs(dense, discounted)
        for call, dense, discounted in zip(convolutions, nodes["dense"], nodes["discounted"], strict=True)
    )
    return {
        "network": name,
        "convolutions": len(convolutions),
        "in_3d": sum(call.kind == "Conv3d" for call in convolutions),
        "equal": equal,
        "ours": _sums(map(_ours, convolutions)),
        "theirs": _sums(itertools.starmap(_theirs, zip(nodes["dense"], nodes["discounted"], strict=True))),
        "stored_once_bits": sum(call.nnz * call.weight_bits for call in convolutions if call.call == 0),
        "skipped_calls": len(skipped),
        "skipped_share": sum(call.dense_macs for call in skipped) / sum(call.dense_macs for call in calls),
        "unsupported": costs["dense"]["total_cost"]["unsupported"],
        "all_macs": sum(call.dense_macs for call in calls),
        "total_macs_there": costs["dense"]["total_cost"]["total_macs"],
    }


FIGURES = ("MACs", "effectual MACs", "BOPs", "weight bits", "weight bits, non-zero")


def _ours(call: LayerCall) -> tuple[int, ...]:
    bits = call.weight_bits
    return call.dense_macs, call.effectual_macs, int(mac_product(call)), call.weight_count * bits, call.nnz * bits


def _theirs(dense: dict[str, float], discounted: dict[str, float]) -> tuple[int, ...]:
    """QONNX multiplies by a density in floating point: rounded to the whole number that is meant."""
    figures = (
        dense["total_macs"],
        discounted["total_macs"],
        discounted["total_bops"],
        dense["total_mem_w_bits"],
        discounted["total_mem_w_bits"],
    )
    return tuple(map(round, figures))


def _sums(figures: Iterable[tuple[int, ...]]) -> list[int]:
    return [sum(column) for column in zip(*figures, strict=True)]
