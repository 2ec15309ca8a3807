"""What runs elsewhere against what was trained: parity of every export with fake-quantized torch, and its size.

    DISPARSITY_DATA=... python benchmarks/deployment.py parity
    DISPARSITY_DATA=... python benchmarks/deployment.py sizes
    python benchmarks/deployment.py presets

Speed is in `deployment_speed.py`; all of them write their own sections of the same result file.

The networks' weights are the built-in reference and published ones; nothing is trained here.
"""

from __future__ import annotations

import copy
import functools
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from provenance import provenance
from sections import put_section, table, write_csv
from torch import Tensor

from disparsity.base.atomic_io import write_text
from disparsity.base.errors import DisparsityError
from disparsity.checkpoint.packed import write_network
from disparsity.checkpoint.restore import open_network, stage_of
from disparsity.datasets.uri import open_data
from disparsity.evaluation.evaluation import evaluate_estimates
from disparsity.evaluation.sessions.onnx import open_onnx
from disparsity.evaluation.sessions.openvino import open_openvino
from disparsity.evaluation.sessions.saturation import sums_saturate
from disparsity.export.onnx.file import write_onnx
from disparsity.export.openvino.folder import write_openvino
from disparsity.export.qonnx.file import write_qonnx
from disparsity.export.rtl.folder import write_rtl
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.finalise import finalise
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.quant.layer_bits import QuantSettings, uniform_bits
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
    part = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        header, rows, text = PARTS[part](Path(folder))
    lines = [text, *table(header, rows), "", *provenance(f"DISPARSITY_DATA=... python benchmarks/deployment.py {part}")]
    put_section(RESULT, part, "\n".join(lines))
    write_csv(RESULT.with_name(f"deployment_{part}.csv"), header, rows)


def _parities(folder: Path) -> tuple[list[str], list[list[str]], str]:
    cases = _cases(Path(os.environ["DISPARSITY_DATA"]), folder)
    return _HEADER, [row for case in cases for row in _parity(case, folder)], _INTRODUCTION


def _presets(folder: Path) -> tuple[list[str], list[list[str]], str]:
    return _SMALL_HEADER, [_small(name, folder) for name in NETWORKS], _SMALL_TEXT


def _sizes(folder: Path) -> tuple[list[str], list[list[str]], str]:
    cases = _cases(Path(os.environ["DISPARSITY_DATA"]), folder)
    return ["network", *_WRITERS], [_sizes_of(case, folder / str(i)) for i, case in enumerate(cases)], _SIZES_TEXT


def _at_small_size(write: Callable[[Path, StereoNetwork, tuple[int, int]], object], path: Path, network: Any) -> None:
    write(path, network, SMALL_SIZE)


def _sizes_of(case: Case, folder: Path) -> list[str]:
    """Bytes on disk of every export; none for a dense network where integers are written."""
    folder.mkdir()
    cells = [case.name]
    for kind, write in _WRITERS.items():
        if kind in _INTEGERS_ONLY and stage_of(case.network) != "quantized":
            cells.append("-")
            continue
        path = folder / kind.replace(" ", "_")
        write(path, case.network)
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        cells.append(f"{sum(file.stat().st_size for file in files if not file.name.startswith('call')):,}")
    print(*cells, flush=True)
    return cells


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


def _parity(case: Case, folder: Path) -> list[list[str]]:
    """One row for every runtime."""
    epe, maps = _evaluated(case, functools.partial(predict, case.network))
    packed = folder / "network.h5"
    write_network(packed, case.network)
    rows = []
    for runtime, open_exported in _exported(case, folder):
        estimate, size_bytes = open_exported()
        found, others = _evaluated(case, estimate)
        off = np.concatenate([np.abs(a - b).ravel() for a, b in zip(maps, others, strict=True)])
        figures = (f"{epe:.4f}", f"{found:.4f}", f"{100 * (found / epe - 1):+.4f}", f"{off.max():.2g}")
        share = f"{100 * (off > VISIBLE_PX).mean():.4f}"
        sizes = (f"{size_bytes:,}", f"{packed.stat().st_size:,}")
        shape = "x".join(map(str, case.size))
        rows.append([case.name, runtime, shape, str(len(maps)), *figures, f"{off.mean():.2g}", share, *sizes])
        print(*rows[-1], flush=True)
    return rows


def _exported(case: Case, folder: Path) -> Iterator[tuple[str, Callable[[], tuple[Estimate, int]]]]:
    """Every runtime by name, with what exports, opens and gives the size on disk."""
    file, directory = folder / "network.onnx", folder / "network"

    def in_onnxruntime() -> tuple[Estimate, int]:
        write_onnx(file, case.network, case.size)
        return open_onnx(file).predict, file.stat().st_size

    def in_openvino(saturating: bool | None = None) -> tuple[Estimate, int]:
        if saturating is None:
            write_openvino(directory, case.network, case.size)
        opened = open_openvino(directory, saturating=saturating)
        return opened.predict, sum(path.stat().st_size for path in directory.iterdir())

    yield "onnxruntime", in_onnxruntime
    yield "openvino", in_openvino
    if stage_of(case.network) == "quantized" and sums_saturate():
        yield "openvino, sums not kept from saturating", functools.partial(in_openvino, saturating=False)


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


_HEADER = [
    "network",
    "runtime",
    "images",
    "pairs",
    "EPE torch px",
    "EPE runtime px",
    "EPE differs by %",
    "largest difference px",
    "mean difference px",
    f"pixels off by more than {VISIBLE_PX} px, %",
    "bytes on disk",
    "bytes packed",
]
_SMALL_HEADER = ["preset", "exported and run", "largest difference px", "mean difference px"]
_INTRODUCTION = """## Parity: the runtimes against torch

Real pairs the networks were not trained on: KITTI 2015 frames 13 and 159 (noc; frame 13 alone for the reference) and
the FlyingThings3D TEST pair. The quantized networks are rounded after training (BatchNorm folded, calibrated, steps
and biases in float16) and run fake-quantized in torch; the files run in ONNX Runtime as it optimises them by default,
and in OpenVINO with its precision hint f32, on one thread. Differences are over all pixels. Activations that lie within
float rounding of a tie between two codes can take the other code where the two add in another order, and ONNX Runtime
rounds the biases of convolutions that it runs on integers; so quantized networks differ by more than dense ones.

That is no matter of the runtime: torch with channels-last memory differs from torch by as much. StereoNet W8 A8 on its
pair, mean difference to torch: ONNX Runtime 0.36 px, 0.31 px without its optimisations, torch channels last 0.30 px,
torch with all biases times 1 + 1e-6 0.30 px and times 1 + 1e-7 0.12 px. Layer by layer the file computes exactly what
was trained, see `tests/disparsity/export/onnx/test_qdq.py`.

This processor has no VNNI: OpenVINO's integer sums of weights of 8 bits can saturate, silently. `--runtime openvino`
runs such layers in float here; the rows "not kept from saturating" show what anybody else's use of the same file gives.
These networks do not suffer from it; one with random weights was off by 0.32 px of 5, and sums of the largest products
by half (`tests/disparsity/evaluation/sessions/test_saturation.py`).

`bytes packed` is `export --format packed` of the same network. A quantized ONNX file holds one byte for each weight
of up to 8 bits, also of 4 bits and of pruned ones.
"""
_SMALL_TEXT = f"""## Every preset, smallest settings, fresh weights, W{SMALL_WIDTHS[0]} A{SMALL_WIDTHS[1]}

On noise of {SMALL_SIZE[0]}x{SMALL_SIZE[1]} pixels: shows that every operator is exported and runs.
"""


_SIZES_TEXT = f"""## Bytes on disk of every export

Made for {SMALL_SIZE[0]}x{SMALL_SIZE[1]} pixels, which changes little but constants that depend on the size. ONNX and
OpenVINO hold a byte for every weight of up to 8 bits, zero or not; QONNX holds floats behind its `Quant` nodes; RTL is
text (the golden vectors, which grow with the image, are left out). `packed` is entropy-coded.
"""

_WRITERS: dict[str, Callable[[Path, StereoNetwork], object]] = {
    "packed": write_network,
    "onnx": functools.partial(_at_small_size, write_onnx),
    "openvino": functools.partial(_at_small_size, write_openvino),
    "qonnx": functools.partial(_at_small_size, write_qonnx),
    "rtl without vectors": functools.partial(_at_small_size, write_rtl),
}
_INTEGERS_ONLY = ("qonnx", "rtl without vectors")

PARTS: dict[str, Callable[[Path], tuple[list[str], list[list[str]], str]]] = {
    "parity": _parities,
    "sizes": _sizes,
    "presets": _presets,
}

if __name__ == "__main__":
    main()
