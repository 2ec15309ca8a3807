"""Half the channels in 8-bit integers against the dense network, in torch and in the same runtime, in turns.

    DISPARSITY_DATA=... python benchmarks/deployment_speed.py

No training: speed depends on shapes and kernels, not on what the weights say. Weights have 7 bits: on processors
without VNNI the sums of 8-bit ones saturate, see `disparsity/export/saturation.py`; both are bytes to the kernels.
"""

from __future__ import annotations

import copy
import functools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from provenance import provenance
from sections import put_section, table, write_csv
from torch import Tensor, nn

from disparsity.base.timing import Timing, measure
from disparsity.checkpoint.restore import open_network
from disparsity.evaluation.sessions.onnx import open_onnx
from disparsity.evaluation.sessions.openvino import OpenvinoNetwork, open_openvino
from disparsity.export.onnx.file import write_onnx
from disparsity.export.openvino.folder import write_openvino
from disparsity.finetune.channels_last import use_channels_last
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.pruning.masks import set_masks
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.scores import magnitude_scores
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.finalise import finalise
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.quant.layer_bits import QuantSettings, uniform_bits
from disparsity.run.stages.channel_pruning import finish_channels, start_channels
from disparsity.stereo.inference import predict
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network

RESULT = Path(__file__).parent / "results" / "deployment.md"
Opened = tuple[Callable[[Tensor, Tensor], object], str, str]
"""What runs the network, its bytes on disk, and how many of its convolutions multiply integers where that is known."""
RUNS, WARM_UP = 11, 2
DENSITY = 0.25
"""Of weights, which half the channels on both sides of a layer leave."""
WIDTHS = (7, 8)


def main() -> None:
    torch.set_num_threads(1)
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, network, size in _networks():
            rows += _speed(name, network, size, Path(folder))
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    lines = [_TEXT, *table(_HEADER, rows), "", f"Load of the machine over 1, 5 and 15 minutes at the end: {load}.", ""]
    command = "DISPARSITY_DATA=... python benchmarks/deployment_speed.py"
    put_section(RESULT, "speed", "\n".join([*lines, *provenance(command)]))
    write_csv(RESULT.with_name("deployment_speed.csv"), _HEADER, rows)


def _networks() -> Iterator[tuple[str, StereoNetwork, tuple[int, int]]]:
    """StereoNet with its published weights, and the aggregation of PSMNet behind one convolution as features."""
    weights = Path(os.environ["DISPARSITY_DATA"]) / "weights/stereonet/train_save_sceneflow.tar"
    yield "stereonet", open_network(str(weights), "stereonet"), (256, 512)
    torch.manual_seed(0)
    psmnet = build_network("psmnet_hourglass", max_disparity=48)
    psmnet.feature_extraction = nn.Conv2d(3, 32, 4, stride=4)
    yield "psmnet aggregation", psmnet.eval(), (128, 256)


def _speed(name: str, dense: StereoNetwork, size: tuple[int, int], folder: Path) -> list[list[str]]:
    views = torch.rand(2, 1, 3, *size, generator=torch.Generator().manual_seed(0)).unbind()
    small = _half(copy.deepcopy(dense), views)
    forms = {
        "dense": dense,
        "dense, 8 bit": _quantized(copy.deepcopy(dense), views),
        "half": small,
        "half, 8 bit": _quantized(copy.deepcopy(small), views),
    }
    things: dict[str, Callable[[], object]] = {"dense, torch": _eager(dense, views)}
    facts: dict[str, tuple[str, ...]] = {"dense, torch": (_macs(dense, views), "", "")}
    for form, network in forms.items():
        for runtime, opened in _opened(network, size, folder):
            things[f"{form}, {runtime}"] = functools.partial(opened[0], *(view[0] for view in views))
            facts[f"{form}, {runtime}"] = (_macs(network, views), *opened[1:])
        print(name, form, "exported", flush=True)
    found = measure(things, RUNS, WARM_UP)
    return [_row(name, size, each, found, facts[each]) for each in things]


def _row(name: str, size: tuple[int, int], each: str, found: dict[str, Timing], facts: tuple[str, ...]) -> list[str]:
    timing, runtime = found[each], each.rpartition(", ")[2]
    first, third = timing.quartiles_ms
    ratios = [found[other].median_ms / timing.median_ms for other in ("dense, torch", f"dense, {runtime}")]
    times = [f"{timing.median_ms:.1f}", f"{first:.1f} to {third:.1f}", f"{timing.lowest_ms:.1f}"]
    row = [name, "x".join(map(str, size)), each, *times, *(f"{ratio:.2f}" for ratio in ratios), *facts]
    print(*row, flush=True)
    return row


def _eager(network: StereoNetwork, views: tuple[Tensor, ...]) -> Callable[[], object]:
    return functools.partial(predict, use_channels_last(copy.deepcopy(network)), *(view[0] for view in views))


def _opened(
    network: StereoNetwork, size: tuple[int, int], folder: Path
) -> Iterator[tuple[str, tuple[Callable, str, str]]]:
    file, directory = folder / "network.onnx", folder / "network"
    write_onnx(file, network, size)
    yield "onnxruntime", (open_onnx(file).predict, f"{file.stat().st_size:,}", "")
    write_openvino(directory, network, size)
    opened = open_openvino(directory)
    yield (
        "openvino",
        (opened.predict, f"{sum(each.stat().st_size for each in directory.iterdir()):,}", _integers(opened)),
    )


def _integers(opened: OpenvinoNetwork) -> str:
    return f"{sum(kernel.integer for kernel in opened.kernels)} of {len(opened.kernels)}"


def _macs(network: StereoNetwork, views: tuple[Tensor, ...]) -> str:
    return f"{trace_workload(network, views).dense_macs / 1e9:.3f}"


def _half(network: StereoNetwork, views: tuple[Tensor, ...]) -> StereoNetwork:
    """Half the channels by magnitude, taken out."""
    layers = prunable_layers(network, network.spec.protected)
    pattern = start_channels(network, layers, 0.5)
    set_masks(
        network,
        pattern.select(magnitude_scores({name: network.get_submodule(name) for name in pattern.masked}), DENSITY),
    )
    finish_channels(network, pattern, *views)
    return network


def _quantized(network: StereoNetwork, views: tuple[Tensor, ...]) -> StereoNetwork:
    spec, settings = network.spec, QuantSettings(weight_bits=WIDTHS[0], activation_bits=WIDTHS[1])
    fold_batchnorm(network, views)
    bits = uniform_bits(network, settings, first=(), protected=(), wide_inputs=())
    attach_quantizers(network, {name: each for name, each in bits.items() if spec.compresses(name)})
    calibrate(network, [views])
    finalise(network)
    return network


_HEADER = [
    "network",
    "images",
    "form and runtime",
    "median ms",
    "half of the runs ms",
    "fastest ms",
    "times faster than dense in torch",
    "times faster than dense in the same runtime",
    "GMACs",
    "bytes on disk",
    "convolutions in integers",
]
_TEXT = f"""## Speed: half the channels in 8-bit integers

One thread; {RUNS} runs after {WARM_UP} to warm up, all networks in turns in one process, so that what else the machine
did slowed all of them alike. Channels are removed by magnitude until {DENSITY:.0%} of the weights are left, at least
half the channels of every layer; nothing is trained. Weights have {WIDTHS[0]} bits, activations {WIDTHS[1]}, in every
layer. `psmnet aggregation` is the stacked hourglass of PSMNet (32 channels, 12 disparities at a quarter of the size)
behind one convolution as features. torch runs eagerly, with channels-last memory.
"""

if __name__ == "__main__":
    main()
