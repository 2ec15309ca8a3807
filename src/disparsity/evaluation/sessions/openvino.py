"""OpenVINO session of an exported folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.base.extras import import_extra
from disparsity.evaluation.sessions.fitting import fit_map, fit_views
from disparsity.evaluation.sessions.kernels import Kernel, chosen_kernels
from disparsity.evaluation.sessions.metadata import KEY, OPENVINO_FILES, FileMetadata, from_metadata
from disparsity.evaluation.sessions.saturation import avoid_saturation, sums_saturate

_FRAMEWORK = "framework"
"""Where OpenVINO keeps the metadata of an ONNX file."""


@dataclass(frozen=True, kw_only=True)
class OpenvinoNetwork:
    """A network that OpenVINO executes on the CPU.

    Attributes:
        path: its folder.
        metadata: description of the network, from the file.
        compiled: the ``openvino.CompiledModel``.
        kernels: the implementation of every convolution.
        widened: how many layers run in float since this machine's integer sums could not hold theirs.

    """

    path: Path
    metadata: FileMetadata
    compiled: Any
    kernels: tuple[Kernel, ...]
    widened: int

    def predict(self, left: Tensor, right: Tensor) -> NDArray[np.float32]:
        """The disparity map ``[H, W]`` in pixels of one pair ``[3, H, W]``, RGB in 0..1.

        Raises:
            InputError: the padded pair does not have the size that the file was made for.

        """
        return fit_map(self.compiled(fit_views(self.metadata, left, right, self.path))[0], left)


def open_openvino(path: Path, *, saturating: bool | None = None) -> OpenvinoNetwork:
    """An exported folder, ready to run, with as many threads as torch has.

    Floats are computed in float32: left alone, the CPU plugin takes bfloat16 where the processor has it.

    Args:
        path: the folder.
        saturating: whether to run layers with weights of 8 bits in float since integer sums of this machine cannot
            hold theirs; found out by default.

    Raises:
        InputError: there is no such folder, it is not one of ours, or the package is missing.
        CorruptArtefactError: it is damaged.

    """
    openvino = import_extra("openvino", "openvino")
    if not (path / OPENVINO_FILES[0]).is_file():
        raise InputError("not an OpenVINO export", where=path, expected=f"a folder with {OPENVINO_FILES[0]}")
    core = openvino.Core()
    model = _read(core, path)
    metadata = from_metadata(_metadata(model), path)
    saturating = sums_saturate() if saturating is None else saturating
    widened = avoid_saturation(model) if saturating else 0
    compiled = core.compile_model(model, "CPU", _settings())
    kernels = tuple(chosen_kernels(model, compiled))
    return OpenvinoNetwork(path=path, metadata=metadata, compiled=compiled, kernels=kernels, widened=widened)


def _settings() -> dict[str, Any]:
    return {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
    }


def _read(core: Any, path: Path) -> Any:
    try:
        return core.read_model(*(path / name for name in OPENVINO_FILES))
    except RuntimeError as error:
        raise CorruptArtefactError("OpenVINO cannot read the folder", where=path, found=error) from error


def _metadata(model: Any) -> dict[str, str]:
    place = [_FRAMEWORK, KEY]
    return {KEY: model.get_rt_info(place).astype(str)} if model.has_rt_info(place) else {}
