"""The integer execution against fake quantization: whole networks on real pairs, and layer by layer on the same inputs.

    DISPARSITY_DATA=... python benchmarks/deployment_integer.py

The networks are those of deployment.py, rounded after training.
"""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from deployment import VISIBLE_PX, Case, _cases, _evaluated
from provenance import provenance
from sections import table
from torch import Tensor, nn

from disparsity.base.atomic_io import write_text
from disparsity.checkpoint.restore import stage_of
from disparsity.datasets.uri import open_data
from disparsity.quant.attach import input_quantizer, quantized_layers
from disparsity.quant.integer.convolution import IntegerConvolution
from disparsity.quant.integer.network import float_layers, integer_form, integer_layers
from disparsity.stereo.inference import predict
from disparsity.stereo.network import StereoNetwork

RESULT = Path(__file__).parent / "results" / "deployment_integer.md"
UNSEEN_SCENES = "synthetic:?pairs=8&seed=7&size=192x384&max_disparity=48"
CROP = (128, 256)


def main() -> None:
    torch.set_num_threads(1)
    rows, layers = [], []
    with tempfile.TemporaryDirectory() as folder:
        for case in _quantized_cases(Path(folder)):
            rows.append(_whole(case))
            layers.append(_by_layer(case))
            print(rows[-1], layers[-1], flush=True)
    lines = [_TEXT, *table(_HEADER, rows), "", _LAYER_TEXT, *table(_LAYER_HEADER, layers), ""]
    lines += provenance("DISPARSITY_DATA=... python benchmarks/deployment_integer.py")
    write_text(RESULT, "\n".join([*lines, ""]))


def _quantized_cases(folder: Path) -> Iterator[Case]:
    for case in _cases(Path(os.environ["DISPARSITY_DATA"]), folder):
        if stage_of(case.network) != "quantized":
            continue
        if case.name.startswith("reference"):
            yield replace(case, name=f"{case.name}, synthetic", uri=UNSEEN_SCENES, size=(192, 384))
        yield case


def _whole(case: Case) -> list[str]:
    integer = integer_form(case.network)
    (epe, maps), (found, others) = (
        _evaluated(case, functools.partial(predict, network)) for network in (case.network, integer)
    )
    off = np.concatenate([np.abs(a - b).ravel() for a, b in zip(maps, others, strict=True)])
    figures = (f"{epe:.4f}", f"{found:.4f}", f"{100 * (found / epe - 1):+.2f}", f"{off.max():.2g}", f"{off.mean():.2g}")
    widths = [
        (each.constants.worst_case_bits, each.largest_seen.bit_length() + 1)
        for each in integer_layers(integer).values()
    ]
    worst, seen = (max(column) for column in zip(*widths, strict=True))
    share = f"{100 * (off > VISIBLE_PX).mean():.1f}"
    same = "yes" if _same_bits(integer, case) else "NO"
    return [case.name, str(len(maps)), *figures, share, str(worst), str(seen), same, str(len(float_layers(integer)))]


def _same_bits(integer: StereoNetwork, case: Case) -> bool:
    """A batch of three crops on two threads, and each crop alone on one."""
    left, right = _crops(case)
    with torch.inference_mode():
        alone = torch.cat([integer(left[i : i + 1], right[i : i + 1])[-1] for i in range(3)])
        torch.set_num_threads(2)
        whole = integer(left, right)[-1]
    torch.set_num_threads(1)
    return torch.equal(whole, alone)


def _crops(case: Case) -> list[Tensor]:
    sample = open_data(case.uri)[0]
    views = [view[:, : CROP[0], : CROP[1]] for view in (sample.left, sample.right)]
    return [torch.stack([view, view.flip(-1), 0.5 * view]) for view in views]


@dataclass
class _Compared:
    """What the calls of all layers came to."""

    codes: int = 0
    other_codes: int = 0
    largest: float = 0.0


@torch.inference_mode()
def _by_layer(case: Case) -> list[str]:
    """Every layer of the fake-quantized network and its integer form on the very same inputs."""
    integers, compared = integer_layers(integer_form(case.network)), _Compared()
    handles = []
    for name, layer in quantized_layers(case.network).items():
        inputs: list[Tensor] = []
        handles.append(layer.register_forward_pre_hook(functools.partial(_remember, inputs), prepend=True))
        handles.append(layer.register_forward_hook(functools.partial(_compare, integers[name], inputs, compared)))
    case.network(*(view[:1] for view in _crops(case)))
    for handle in handles:
        handle.remove()
    per_million = f"{1e6 * compared.other_codes / compared.codes:.1f}"
    return [case.name, str(len(integers)), f"{compared.codes:,}", per_million, f"{compared.largest:.1e}"]


def _remember(inputs: list[Tensor], layer: nn.Module, given: tuple[Any, ...]) -> None:
    del layer
    inputs[:] = [given[0].clone()]


def _compare(
    integer: IntegerConvolution, inputs: list[Tensor], compared: _Compared, layer: nn.Module, given: Any, output: Tensor
) -> None:
    quantizer = input_quantizer(layer)
    assert quantizer is not None
    codes = (given[0] / quantizer.step().float()).round().long()
    mine = integer.input_codes(integer.enter(inputs[0]))
    compared.codes += codes.numel()
    compared.other_codes += int((codes != mine).sum())
    # On the fake quantizer's codes, so that only sums and rescaling differ.
    exact = integer.rescale(integer.accumulate(codes)).double() * 2.0**-integer.constants.output.fraction_bits
    compared.largest = max(compared.largest, float((exact - output).abs().max() / output.abs().max()))


_HEADER = [
    "network",
    "pairs",
    "EPE fake-quantized px",
    "EPE integer px",
    "EPE differs by %",
    "largest difference px",
    "mean difference px",
    f"pixels off by more than {VISIBLE_PX} px, %",
    "accumulator bits, worst case",
    "accumulator bits, seen",
    "same bits for batch 1 and 3, threads 1 and 2",
    "layers in float",
]
_LAYER_HEADER = ["network", "layers", "input codes", "other codes per million", "largest difference of an output"]
_TEXT = """# Deployment: integers

The integer execution (`--runtime integer`, `quant/integer/`) with 32-bit accumulators and outputs against the
fake-quantized network in torch, both on one thread. Networks as in [deployment.md](deployment.md), rounded after
training; real pairs are KITTI 2015 frames 13 (reference, AnyNet) and 159 (AnyNet), noc, and the FlyingThings3D TEST
pair (StereoNet); the synthetic ones are eight scenes that calibrated nothing.

Whole maps differ where an input lies beside a tie between two codes, as they do between torch and torch with another
order of sums (deployment.md has figures). The tolerance that we state for a whole network is 1 % of its EPE. Worst
case: the accumulator width that no input exceeds; seen: what these pairs needed.
"""
_LAYER_TEXT = f"""## Layer by layer, on the same inputs

One crop of {CROP[0]}x{CROP[1]} through the fake-quantized network; every layer's integer form gets the same input.
Input codes that differ lie on a tie to within float32 rounding. Outputs, from the same codes, relative to the layer's
largest: what is left is the rounding of torch's float32 sums.
"""


if __name__ == "__main__":
    main()
