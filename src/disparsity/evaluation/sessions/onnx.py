"""ONNX Runtime session of an exported ONNX file."""

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
from disparsity.evaluation.sessions.metadata import FileMetadata, from_metadata

_ERRORS_ONLY = 3


@dataclass(frozen=True, kw_only=True)
class OnnxNetwork:
    """A network that ONNX Runtime executes on the CPU.

    Attributes:
        path: its file.
        metadata: description of the network, from the file.
        session: the ``onnxruntime.InferenceSession``.

    """

    path: Path
    metadata: FileMetadata
    session: Any

    def predict(self, left: Tensor, right: Tensor) -> NDArray[np.float32]:
        """The disparity map ``[H, W]`` in pixels of one pair ``[3, H, W]``, RGB in 0..1.

        Raises:
            InputError: the padded pair does not have the size that the file was made for.

        """
        inputs = fit_views(self.metadata, left, right, self.path)
        return fit_map(self.session.run(None, inputs)[0], left)


def open_onnx(path: Path, *, optimise: bool = True) -> OnnxNetwork:
    """An exported file, ready to run, with as many threads as torch has.

    Without `optimise` every node is executed as it stands in the file: what fake quantization computes, to within the
    rounding of float sums. The optimised graph also rounds the biases of the convolutions that run on integers.

    Raises:
        InputError: there is no such file, it is not one of ours, or the package is missing.
        CorruptArtefactError: it is damaged, or no ONNX file.

    """
    if not path.is_file():
        raise InputError("no such file", where=path)
    session = _read(path, optimise)
    return OnnxNetwork(
        path=path, metadata=from_metadata(session.get_modelmeta().custom_metadata_map, path), session=session
    )


def new_session(source: str | bytes, *, optimise: bool = True) -> Any:
    """An ``onnxruntime.InferenceSession`` of a file, by name or content, with as many threads as torch has."""
    runtime = import_extra("onnxruntime", "onnx")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = _ERRORS_ONLY
    if not optimise:
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return runtime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _read(path: Path, optimise: bool) -> Any:
    import_extra("onnxruntime", "onnx")
    try:
        return new_session(str(path), optimise=optimise)
    except Exception as error:
        raise CorruptArtefactError("ONNX Runtime cannot read the file", where=path, found=error) from error
