"""What runs elsewhere against what was trained: parity of every export with fake-quantized torch, and its size.

    DISPARSITY_DATA=... python benchmarks/deployment.py

The networks' weights are the built-in reference and published ones; nothing is trained here.
"""

from __future__ import annotations

import copy
import functools
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from provenance import provenance
from torch import Tensor

from disparsity.datasets.uri import open_data
from disparsity.errors import DisparsityError
from disparsity.evaluation import evaluate_estimates
from disparsity.export.onnx_file import write_onnx
from disparsity.export.onnx_session import open_onnx
from disparsity.files import write_text
from disparsity.finetune.restore import open_network
from disparsity.packed import write_network
from disparsity.quant.allocation import QuantSettings, uniform_bits
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.calibration import calibrate
from disparsity.quant.finalise import finalise
from disparsity.quant.folding import fold_batchnorm
from disparsity.stereo.inference import predict
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import NETWORKS, build_network

RESULT = Path(__file__).parent / "results" / "deployment.md"
SPLITS = Path(__file__).parents[1] / "recipes/splits/anynet_kitti2015"
SCENES = "synthetic:?pairs=8&seed=3&size=192x384&max_disparity=48"
CROP = (256, 512)
"""Of the pairs that calibrate."""
VISIBLE_PX = 0.1
SMALLEST = {
    "psmnet": {"width": 4, "blocks": 1, "max_disparity": 16, "largest_pool": 8},
    "gwcnet": {"width": 4, "blocks": 1, "groups": 10, "max_disparity": 16},
    "gcnet": {"width": 4, "blocks": 2, "max_disparity": 64},
    "mobilestereonet": {"width": 4, "blocks": 1, "hourglass_width": 4, "max_disparity": 8},
    "dispnetc": {"width": 4, "max_disparity": 16},
    "stereonet": {"width": 6, "refinement_width": 5, "max_disparity": 32},
    "reference": {"width": 6, "refinement_width": 5, "max_disparity": 16},
}
"""Settings by the first part of a preset's name, so that every operator of the network is exported at small cost."""
SMALL_WIDTHS, SMALL_SIZE = (4, 8), (64, 128)

Estimate = Callable[[Tensor, Tensor], NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One network on one real data set.

    Attributes:
        name: for the table.
        network: as it is exported.
        uri: what it is judged on.
        size: of the images.

    """

    name: str
    network: StereoNetwork
    uri: str
    size: tuple[int, int]


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        rows = [_parity(case, Path(folder)) for case in _cases(Path(os.environ["DISPARSITY_DATA"]), Path(folder))]
        _write(rows, [])
        _write(rows, [_small(name, Path(folder)) for name in NETWORKS])


def _write(rows: list[list[str]], small: list[list[str]]) -> None:
    lines = [_INTRODUCTION, *_table(_HEADER, rows), "", _SMALL_TEXT, *_table(_SMALL_HEADER, small), ""]
    write_text(RESULT, "\n".join([*lines, *provenance("DISPARSITY_DATA=... python benchmarks/deployment.py"), ""]))


def _cases(shared: Path, folder: Path) -> Iterator[Case]:
    things = f"sceneflow:{shared / 'data/flyingthings3d'}?pass=clean&subset="
    kitti = f"kitti2015:{shared / 'data/kitti2015'}?ground_truth=noc&split="
    alone = folder / "one_frame.txt"  # the other frame is of another size, also when padded to the reference's divisor
    write_text(alone, "13\n")
    stereonet, anynet = "stereonet/train_save_sceneflow.tar", "anynet/kitti2015_ck.tar"
    plans = (
        ("reference", "builtin:reference", (4, 8), SCENES, f"{kitti}{alone}", (375, 1242)),
        ("stereonet", str(shared / "weights" / stereonet), (8, 8), f"{things}train", f"{things}test", (540, 960)),
        (
            "anynet",
            str(shared / "weights" / anynet),
            (8, 8),
            f"{kitti}{SPLITS}_train.txt",
            f"{kitti}{SPLITS}_test.txt",
            (375, 1242),
        ),
    )
    for name, weights, widths, calibration, uri, size in plans:
        network = open_network(weights, name)
        yield Case(name=f"{name}, dense", network=network, uri=uri, size=size)
        batches = [_crop(sample.left, sample.right) for sample in open_data(calibration)]
        quantized = _quantized(copy.deepcopy(network), widths, batches)
        yield Case(name=f"{name}, W{widths[0]} A{widths[1]}", network=quantized, uri=uri, size=size)


def _crop(*views: Tensor) -> tuple[Tensor, ...]:
    return tuple(view[None, :, : CROP[0], : CROP[1]] for view in views)


def _quantized(network: StereoNetwork, widths: tuple[int, int], batches: list[tuple[Tensor, ...]]) -> StereoNetwork:
    """Rounded after training, in place: BatchNorm folded, calibrated, nothing trained."""
    spec, settings = network.spec, QuantSettings(weight_bits=widths[0], activation_bits=widths[1])
    fold_batchnorm(network, batches[0])
    bits = uniform_bits(network, settings, first=spec.first, protected=spec.protected, wide_inputs=spec.wide_inputs)
    attach_quantizers(network, {name: each for name, each in bits.items() if spec.compresses(name)})
    calibrate(network, batches)
    finalise(network)
    return network


def _parity(case: Case, folder: Path) -> list[str]:
    started = time.monotonic()
    file, packed = folder / "network.onnx", folder / "network.h5"
    write_onnx(file, case.network, case.size)
    write_network(packed, case.network)
    estimates = functools.partial(predict, case.network), open_onnx(file).predict
    print(f"{case.name}: exported after {time.monotonic() - started:.0f} s", flush=True)
    results = [_evaluated(case, estimate) for estimate in estimates]
    (epe, maps), (runtime_epe, runtime_maps) = results
    off = np.concatenate([np.abs(a - b).ravel() for a, b in zip(maps, runtime_maps, strict=True)])
    relative = 100 * (runtime_epe / epe - 1)
    figures = (f"{epe:.4f}", f"{runtime_epe:.4f}", f"{relative:+.4f}", f"{off.max():.2g}", f"{off.mean():.2g}")
    share = f"{100 * (off > VISIBLE_PX).mean():.4f}"
    size = "x".join(map(str, case.size))
    return [case.name, size, str(len(maps)), *figures, share, *(f"{p.stat().st_size:,}" for p in (file, packed))]


def _evaluated(case: Case, estimate: Estimate) -> tuple[float, tuple[NDArray[np.float32], ...]]:
    data = open_data(case.uri)
    mask = float(case.network.spec.max_disparity)
    found = evaluate_estimates(estimate, data, uri=case.uri, stage="", mask_disparity=mask, keep=len(data))
    return found.row["epe_px"], found.maps


def _small(name: str, folder: Path) -> list[str]:
    """One preset at its smallest, with fresh weights: whether every operator can be exported and runs."""
    torch.manual_seed(0)
    changes = next((value for prefix, value in SMALLEST.items() if name.startswith(prefix)), {})
    network = build_network(name, **changes).eval()
    views = torch.rand(2, 1, 3, *SMALL_SIZE).unbind()
    network = _quantized(network, SMALL_WIDTHS, [views])
    try:
        write_onnx(folder / "small.onnx", network, SMALL_SIZE)
    except DisparsityError as error:
        return [name, str(error), "-", "-"]
    onnx = open_onnx(folder / "small.onnx")
    print(name, "exported", flush=True)
    off = np.abs(predict(network, *(view[0] for view in views)) - onnx.predict(*(view[0] for view in views)))
    return [name, "yes", f"{off.max():.2g}", f"{off.mean():.2g}"]


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *rows)]


_HEADER = [
    "network",
    "images",
    "pairs",
    "EPE torch px",
    "EPE onnxruntime px",
    "EPE differs by %",
    "largest difference px",
    "mean difference px",
    f"pixels off by more than {VISIBLE_PX} px, %",
    "bytes .onnx",
    "bytes packed",
]
_SMALL_HEADER = ["preset", "exported and run", "largest difference px", "mean difference px"]
_INTRODUCTION = """# Deployment

## Parity: ONNX Runtime against torch

Real pairs the networks were not trained on: KITTI 2015 frames 13 and 159 (noc; frame 13 alone for the reference) and
the FlyingThings3D TEST pair. The quantized networks are rounded after training (BatchNorm folded, calibrated, steps
and biases in float16) and run fake-quantized in torch; the files run in ONNX Runtime as it optimises them by default,
on one thread. Differences are over all pixels. Activations that lie within float rounding of a tie between two codes
can take the other code where the two add in another order, and ONNX Runtime rounds the biases of convolutions that it
runs on integers; so quantized networks differ by more than dense ones.

That is no matter of the runtime: torch with channels-last memory differs from torch by as much. StereoNet W8 A8 on its
pair, mean difference to torch: ONNX Runtime 0.36 px, 0.31 px without its optimisations, torch channels last 0.30 px,
torch with all biases times 1 + 1e-6 0.30 px and times 1 + 1e-7 0.12 px. Layer by layer the file computes exactly what
was trained, see `tests/disparsity/export/test_qdq.py`.

`bytes packed` is `export --format packed` of the same network. A quantized ONNX file holds one byte for each weight
of up to 8 bits, also of 4 bits and of pruned ones.
"""
_SMALL_TEXT = f"""## Every preset, smallest settings, fresh weights, W{SMALL_WIDTHS[0]} A{SMALL_WIDTHS[1]}

On noise of {SMALL_SIZE[0]}x{SMALL_SIZE[1]} pixels: shows that every operator is exported and runs.
"""


if __name__ == "__main__":
    main()
