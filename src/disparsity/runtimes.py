"""What executes a network: torch for checkpoints, others for the files that `disparsity export` writes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from disparsity.errors import InputError
from disparsity.finetune.channels_last import use_channels_last
from disparsity.finetune.restore import open_network, stage_of
from disparsity.stereo.inference import predict

_ONNX_SUFFIX = ".onnx"


@dataclass(frozen=True, kw_only=True)
class Executable:
    """A network that can be run.

    Attributes:
        estimate: from two views ``[3, H, W]``, RGB in 0..1, to the disparity ``[H, W]`` in pixels.
        stage: `dense`, `pruned` or `quantized`.
        max_disparity: largest disparity that the network's cost volume covers, in pixels.

    """

    estimate: Callable[[Tensor, Tensor], NDArray[np.float32]]
    stage: str
    max_disparity: int


def open_in_runtime(checkpoint: str, name: str | None, runtime: str) -> Executable:
    """A network in a runtime.

    Args:
        checkpoint: as in `open_network` for torch, else the path of an exported file.
        name: of the network, for published files and networks of a user's own.
        runtime: a key of `RUNTIMES`.

    Raises:
        InputError: the runtime is unknown or cannot execute this.
        CorruptArtefactError: the checkpoint or the file is damaged.

    """
    if runtime not in RUNTIMES:
        raise InputError("unknown runtime", found=runtime, expected=", ".join(RUNTIMES))
    return RUNTIMES[runtime](checkpoint, name)


def _open_in_torch(checkpoint: str, name: str | None) -> Executable:
    if Path(checkpoint).suffix == _ONNX_SUFFIX:
        raise InputError("torch cannot run this file", where=checkpoint, remedy="add --runtime onnxruntime")
    network = use_channels_last(open_network(checkpoint, name))
    return Executable(
        estimate=functools.partial(predict, network),
        stage=stage_of(network),
        max_disparity=network.spec.max_disparity,
    )


def _open_in_onnxruntime(checkpoint: str, name: str | None) -> Executable:
    from disparsity.export.onnx_session import open_onnx  # noqa: PLC0415 - torch alone needs none of it

    if name is not None:
        raise InputError("an exported file knows its network", found=f"--network {name}", remedy="leave it out")
    network = open_onnx(Path(checkpoint))
    facts = network.facts
    return Executable(estimate=network.predict, stage=facts.stage, max_disparity=facts.max_disparity)


RUNTIMES: dict[str, Callable[[str, str | None], Executable]] = {
    "torch": _open_in_torch,
    "onnxruntime": _open_in_onnxruntime,
}
