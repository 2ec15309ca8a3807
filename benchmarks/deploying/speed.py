"""Speed of half the channels in 8-bit integers against the dense network, in torch and in the runtimes, in turns.

Speed depends on shapes and kernels, not on what the weights say. Weights have 7 bits: on processors without VNNI the
sums of 8-bit ones saturate; both are bytes to the kernels.
"""

from __future__ import annotations

import copy
import functools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from harness.networks import rounded
from torch import Tensor, nn

from disparsity.base.timing import measure
from disparsity.checkpoint.restore import open_network
from disparsity.evaluation.sessions.onnx import open_onnx
from disparsity.evaluation.sessions.openvino import open_openvino
from disparsity.export.onnx.file import write_onnx
from disparsity.export.openvino.folder import write_openvino
from disparsity.finetune.channels_last import use_channels_last
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.pruning.masks import set_masks
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.scores.magnitude import magnitude_scores
from disparsity.run.stages.channel_pruning import finish_channels, start_channels
from disparsity.stereo.inference import predict
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network

RUNS, WARM_UP = 11, 2
DENSITY = 0.25
"""Of weights, which half the channels on both sides of a layer leave."""
WIDTHS = (7, 8)
FORMS = ("dense", "dense, 8 bit", "half", "half, 8 bit")
SPEEDS = [("dense", "torch"), *((form, runtime) for form in FORMS for runtime in ("onnxruntime", "openvino"))]


def speed(name: str, form: str, runtime: str) -> dict[str, Any]:
    """Milliseconds of one form in one runtime; all of them are timed in turns when the first one is asked for."""
    return _all(name)[form, runtime]


@functools.cache
def _all(name: str) -> dict[tuple[str, str], dict[str, Any]]:
    dense, size = _network(name)
    views = torch.rand(2, 1, 3, *size, generator=torch.Generator().manual_seed(0)).unbind()
    small = _half(copy.deepcopy(dense), views)
    whole = functools.partial(rounded, widths=WIDTHS, batches=[views], every_layer=True)
    networks: dict[str, StereoNetwork] = dict(zip(FORMS, (dense, whole(dense), small, whole(small)), strict=True))
    pair = [view[0] for view in views]
    works: dict[str, Callable[[], object]] = {}
    facts: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for form, runtime in SPEEDS:
            key = f"{form}, {runtime}"
            estimate, facts[key] = _opened(networks[form], runtime, size, Path(folder))
            works[key] = functools.partial(estimate, *pair)
            facts[key]["gmacs"] = trace_workload(networks[form], views).dense_macs / 1e9
        found = measure(works, RUNS, WARM_UP)
    return {
        (form, runtime): {
            "images": "x".join(map(str, size)),
            "median_ms": found[key].median_ms,
            "quartiles_ms": found[key].quartiles_ms,
            "lowest_ms": found[key].lowest_ms,
            **facts[key],
        }
        for form, runtime in SPEEDS
        for key in [f"{form}, {runtime}"]
    }


def _network(name: str) -> tuple[StereoNetwork, tuple[int, int]]:
    """StereoNet with its published weights, or the aggregation of PSMNet behind one convolution as features."""
    if name == "stereonet":
        weights = Path(os.environ["DISPARSITY_DATA"]) / "weights/stereonet/train_save_sceneflow.tar"
        return open_network(str(weights), name), (256, 512)
    torch.manual_seed(0)
    psmnet = build_network("psmnet_hourglass", max_disparity=48)
    psmnet.feature_extraction = nn.Conv2d(3, 32, 4, stride=4)
    return psmnet.eval(), (128, 256)


def _opened(
    network: StereoNetwork, runtime: str, size: tuple[int, int], folder: Path
) -> tuple[Callable[..., object], dict[str, Any]]:
    """What runs the network, and facts of its export."""
    if runtime == "torch":
        return functools.partial(predict, use_channels_last(copy.deepcopy(network))), {"bytes": None}
    if runtime == "onnxruntime":
        file = folder / "network.onnx"
        write_onnx(file, network, size)
        return open_onnx(file).predict, {"bytes": file.stat().st_size}
    directory = folder / "network"
    write_openvino(directory, network, size)
    opened = open_openvino(directory)
    integers = f"{sum(kernel.integer for kernel in opened.kernels)} of {len(opened.kernels)}"
    size_bytes = sum(file.stat().st_size for file in directory.iterdir())
    return opened.predict, {"bytes": size_bytes, "integer_convolutions": integers}


def _half(network: StereoNetwork, views: tuple[Tensor, ...]) -> StereoNetwork:
    """Half the channels by magnitude, taken out."""
    pattern = start_channels(network, prunable_layers(network, network.spec.protected), 0.5)
    masked = {name: network.get_submodule(name) for name in pattern.masked}
    set_masks(network, pattern.select(magnitude_scores(masked), DENSITY))
    finish_channels(network, pattern, *views)
    return network
