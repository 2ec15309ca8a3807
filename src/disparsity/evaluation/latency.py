"""Wall-clock time of a run's networks beside the modelled cost: in torch, and in the runtime that a recipe names."""

from __future__ import annotations

import copy
import functools
import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError

from disparsity.base.checksummed_json import read_checksummed
from disparsity.base.errors import CorruptArtefactError
from disparsity.base.timing import Timing, measure
from disparsity.checkpoint.restore import stage_of
from disparsity.evaluation.measured_latency import MeasuredLatency, MeasuredRow
from disparsity.evaluation.runtimes import Estimate
from disparsity.evaluation.sessions.kernels import Kernel
from disparsity.finetune.channels_last import use_channels_last
from disparsity.registries import ENTRIES, check_name, load
from disparsity.stereo.inference import predict
from disparsity.stereo.network import StereoNetwork

WARM_UP = 3
TORCH = "torch"
DENSE, PRUNED, COMPRESSED = "dense", "pruned", "compressed"

Size = tuple[int, int]
Write = Callable[[Path, StereoNetwork, Size], object]


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A network that a runtime executes.

    Attributes:
        estimate: as of `Executable`.
        file_bytes: on disk.
        kernels: of its convolutions; None where the runtime does not say.
        widened: layers that run in float since this machine's integer sums could not hold theirs.

    """

    estimate: Estimate
    file_bytes: int | None = None
    kernels: tuple[Kernel, ...] | None = None
    widened: int = 0


@dataclass(frozen=True, kw_only=True)
class LatencyRuntime:
    """A runtime in which latency is measured: the export format that it executes, and what opens such a file."""

    form: str
    open: Callable[[Path], Deployed]


def check_runtime(name: str) -> None:
    """Refuse what cannot be measured, before anything is trained.

    Raises:
        InputError: no such runtime, or its package is missing.

    """
    from disparsity.base.extras import import_extra  # noqa: PLC0415 - only where latency is asked for

    check_name(name, ENTRIES["latency_runtimes"], "latency_runtimes", "report.runtime")
    for package in ("onnx", "onnxscript", name):
        import_extra(package, "onnx" if name == "onnxruntime" else name)


def measure_latency(
    networks: Mapping[str, StereoNetwork], size: Size, runtime: str, runs: int, write: Write
) -> MeasuredLatency:
    """The section `measured_latency` of a report.

    Args:
        networks: `dense`, `compressed`, and `pruned` where floats were pruned before they were quantized.
        size: height and width of the images.
        runtime: a name of the registry `latency_runtimes`.
        runs: of every network, after `WARM_UP` more; the networks take turns.
        write: exports a network for the runtime to a path.

    Raises:
        InputError: the runtime is unknown, or cannot express an operator of a network.

    """
    check_runtime(runtime)
    with tempfile.TemporaryDirectory() as folder:
        things = {(DENSE, TORCH): Deployed(estimate=_eager(networks[DENSE]))}
        for name, network in networks.items():
            path = Path(folder) / name
            write(path, network, size)
            things[name, runtime] = load("latency_runtimes", runtime).open(path)
        left, right = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
        calls = {str(key): functools.partial(thing.estimate, left, right) for key, thing in things.items()}
        found = measure(calls, runs, WARM_UP)
    rows = tuple(_row(*key, thing, found[str(key)]) for key, thing in things.items())
    quantized = stage_of(networks[COMPRESSED]) == "quantized"
    return MeasuredLatency(
        runtime=runtime,
        processor=_processor(),
        threads=torch.get_num_threads(),
        runs=runs,
        warm_up=WARM_UP,
        input_size=size,
        rows=rows,
        warnings=_warnings(rows, quantized, things[COMPRESSED, runtime].widened),
    )


def stored_latency(path: Path, checkpoint: str, size: Size) -> MeasuredLatency | None:
    """The section that was measured before; None where there is none, or it was another network or size.

    Args:
        path: where `latency_file` was written.
        checkpoint: SHA-256 of the compressed network's side file.
        size: of the images.

    Raises:
        CorruptArtefactError: the file is damaged.

    """
    if not path.is_file():
        return None
    what, remedy = "a measurement of latency", "remove it, and measure again"
    content = read_checksummed(path, what, remedy)
    try:
        section = TypeAdapter(MeasuredLatency).validate_python(content["measured_latency"])
        found = content["checkpoint"], section.input_size
    except (KeyError, ValidationError) as error:
        raise CorruptArtefactError(f"not {what}", where=path, found=str(error)[:120], remedy=remedy) from error
    return section if found == (checkpoint, size) else None


def latency_file(section: MeasuredLatency, checkpoint: str) -> dict[str, Any]:
    """What is stored of a measurement, see `stored_latency`."""
    return {"checkpoint": checkpoint, "measured_latency": asdict(section)}


def _eager(network: StereoNetwork) -> Estimate:
    return functools.partial(predict, use_channels_last(copy.deepcopy(network).eval()))


def _in_onnxruntime(path: Path) -> Deployed:
    from disparsity.evaluation.sessions.onnx import open_onnx  # noqa: PLC0415 - only where latency is asked for

    return Deployed(estimate=open_onnx(path).predict, file_bytes=path.stat().st_size)


def _in_openvino(path: Path) -> Deployed:
    from disparsity.evaluation.sessions.openvino import open_openvino  # noqa: PLC0415 - only where latency is asked for

    opened = open_openvino(path)
    return Deployed(
        estimate=opened.predict,
        file_bytes=sum(file.stat().st_size for file in path.iterdir()),
        kernels=opened.kernels,
        widened=opened.widened,
    )


ONNXRUNTIME = LatencyRuntime(form="onnx", open=_in_onnxruntime)
OPENVINO = LatencyRuntime(form="openvino", open=_in_openvino)


def _row(network: str, runtime: str, thing: Deployed, timing: Timing) -> MeasuredRow:
    kernels = thing.kernels
    return MeasuredRow(
        network=network,
        runtime=runtime,
        median_ms=timing.median_ms,
        quartiles_ms=timing.quartiles_ms,
        lowest_ms=timing.lowest_ms,
        file_bytes=thing.file_bytes,
        convolutions=None if kernels is None else len(kernels),
        integer_convolutions=None if kernels is None else sum(kernel.integer for kernel in kernels),
    )


def _warnings(rows: Sequence[MeasuredRow], quantized: bool, widened: int) -> tuple[str, ...]:
    """Where integers are no gain on this machine."""
    found = []
    *floats, last = rows[1:]
    fastest = min(floats, key=lambda row: row.median_ms or 0.0)
    if quantized and (last.median_ms or 0.0) > (fastest.median_ms or 0.0):
        times = f"{last.median_ms:.3g} ms against {fastest.median_ms:.3g} ms"
        found.append(f"integers are slower than floats here: {times} of the {fastest.network} network in float")
    if widened:
        found.append(f"{widened} layers with weights of 8 bits run in float: integer sums would saturate here")
    return tuple(found)


def _processor() -> str | None:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), platform.processor() or None)
