"""Runtimes: torch for checkpoints, ONNX Runtime and OpenVINO for the files that `disparsity export` writes."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from disparsity.base.devices import choose_device
from disparsity.base.errors import InputError
from disparsity.checkpoint.opening import open_checkpoint
from disparsity.checkpoint.restore import stage_of
from disparsity.evaluation.sessions.metadata import OPENVINO_FILES, FileMetadata
from disparsity.finetune.channels_last import use_channels_last
from disparsity.quant.integer.network import float_layers, integer_form
from disparsity.registries import load
from disparsity.stereo.inference import predict
from disparsity.stereo.network import StereoNetwork

Estimate = Callable[[Tensor, Tensor], NDArray[np.float32]]

_ONNX_SUFFIX = ".onnx"


@dataclass(frozen=True, kw_only=True)
class Executable:
    """A network that can be run.

    Attributes:
        name: of the network.
        estimate: from two views ``[3, H, W]``, RGB in 0..1, to the disparity ``[H, W]`` in pixels.
        stage: `dense`, `pruned` or `quantized`.
        max_disparity: largest disparity that the network's cost volume covers, in pixels.
        float_layers: of the integer runtime, the layers that it leaves in float; None elsewhere.
        module: what is executed, as it was opened; None where an exported file is.

    """

    name: str
    estimate: Estimate
    stage: str
    max_disparity: int
    float_layers: tuple[str, ...] | None = None
    module: StereoNetwork | None = None


def open_in_runtime(checkpoint: str, name: str | None, runtime: str, device: str = "auto") -> Executable:
    """A network in a runtime.

    Args:
        checkpoint: as in `open_network` for torch, else the path of an exported file.
        name: of the network, for published files and networks of a user's own.
        runtime: as in `disparsity list runtimes`.
        device: as in `choose_device`, for torch; the others compute on the CPU.

    Raises:
        InputError: the runtime is unknown or cannot execute this, or there is no such device.
        CorruptArtefactError: the checkpoint or the file is damaged.

    """
    open_in = load("runtimes", runtime)
    if runtime == "torch":
        return open_in_torch(checkpoint, name, device)
    if device not in ("auto", "cpu"):
        raise InputError(f"{runtime} computes on the CPU", where="--device", found=device, expected="cpu")
    return open_in(checkpoint, name)


def open_in_torch(checkpoint: str, name: str | None, device: str = "auto") -> Executable:
    """A checkpoint, a published file or a packed one in torch."""
    return in_torch(_open_ours("torch", checkpoint, name), device)


def in_torch(network: StereoNetwork, device: str = "auto") -> Executable:
    """A network in torch on a device; the network itself stays as it is."""
    moved = use_channels_last(copy.deepcopy(network).to(choose_device(device, "--device")))
    return Executable(
        name=network.spec.name,
        estimate=functools.partial(predict, moved),
        stage=stage_of(network),
        max_disparity=network.spec.max_disparity,
        module=network,
    )


def open_in_integers(checkpoint: str, name: str | None) -> Executable:
    """A quantized checkpoint in integers, as hardware computes."""
    network = _open_ours("the integer runtime", checkpoint, name)
    stage, spec = stage_of(network), network.spec
    if stage != "quantized":
        remedy = "quantize it first, or leave --runtime integer out"
        raise InputError("the network has no integers", where=checkpoint, found=f"a {stage} network", remedy=remedy)
    integer = integer_form(network)
    unused = tuple(f"{module}." for module in spec.not_at_inference)
    return Executable(
        name=spec.name,
        estimate=functools.partial(predict, integer),
        stage=stage,
        module=network,
        max_disparity=spec.max_disparity,
        float_layers=tuple(layer for layer in float_layers(integer) if not f"{layer}.".startswith(unused)),
    )


def _open_ours(runtime: str, checkpoint: str, name: str | None) -> StereoNetwork:
    other = _runtime_of(Path(checkpoint))
    if other is not None:
        raise InputError(f"{runtime} cannot run this file", where=checkpoint, remedy=f"add --runtime {other}")
    return open_checkpoint(checkpoint, name)


def open_in_onnxruntime(checkpoint: str, name: str | None) -> Executable:
    """What `export --format onnx` wrote, in ONNX Runtime."""
    from disparsity.evaluation.sessions.onnx import open_onnx  # noqa: PLC0415 - torch alone needs none of it

    _refuse_name(name)
    network = open_onnx(Path(checkpoint))
    return _executable(network.predict, network.metadata)


def open_in_openvino(checkpoint: str, name: str | None) -> Executable:
    """What `export --format openvino` wrote, in OpenVINO."""
    from disparsity.evaluation.sessions.openvino import open_openvino  # noqa: PLC0415 - torch alone needs none of it

    _refuse_name(name)
    network = open_openvino(Path(checkpoint))
    return _executable(network.predict, network.metadata)


def _executable(estimate: Estimate, metadata: FileMetadata) -> Executable:
    return Executable(
        name=metadata.network, estimate=estimate, stage=metadata.stage, max_disparity=metadata.max_disparity
    )


def _refuse_name(name: str | None) -> None:
    if name is not None:
        raise InputError("an exported file knows its network", found=f"--network {name}", remedy="leave it out")


def _runtime_of(path: Path) -> str | None:
    """Which runtime takes what an export wrote; None for all else."""
    if path.suffix == _ONNX_SUFFIX:
        return "onnxruntime"
    return "openvino" if (path / OPENVINO_FILES[0]).is_file() else None
