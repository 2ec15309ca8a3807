"""OpenVINO folder of a network, run once before it replaces an older one."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from disparsity.base.atomic_folder import check_replaceable, write_folder
from disparsity.base.errors import InputError
from disparsity.base.extras import import_extra
from disparsity.evaluation.sessions.kernels import kernel_table
from disparsity.evaluation.sessions.metadata import OPENVINO_FILES, FileMetadata, metadata_of
from disparsity.evaluation.sessions.openvino import open_openvino
from disparsity.export.format import Format
from disparsity.export.openvino.graph import openvino_graph
from disparsity.export.parity import blurred_pair, check_parity
from disparsity.stereo.network import StereoNetwork


def write_openvino(path: Path, network: StereoNetwork, size: tuple[int, int]) -> FileMetadata:
    """Write the network for images of this height and width, padded to its divisor.

    The folder holds a graph (`network.xml`) and its weights (`network.bin`). It is run once before it takes the place
    of what was there.

    Raises:
        InputError: ONNX or OpenVINO cannot express an operator (the message names it and its layer), OpenVINO and
            torch disagree, the folder exists and holds other things, or a package of the extra is missing.

    """
    import_extra("openvino", "openvino")
    check_replaceable(path, OPENVINO_FILES)
    metadata = metadata_of(network, size)
    model = openvino_graph(network, metadata)
    write_folder(path, OPENVINO_FILES, functools.partial(_write_checked, model, network, metadata))
    return metadata


def _write_checked(model: Any, network: StereoNetwork, metadata: FileMetadata, folder: Path) -> None:
    openvino = import_extra("openvino", "openvino")
    openvino.save_model(model, folder / OPENVINO_FILES[0], compress_to_fp16=False)
    try:
        found = open_openvino(folder).predict(*blurred_pair(metadata.input_size))
    except RuntimeError as error:
        raise InputError("OpenVINO cannot run this network", where=metadata.network, found=error) from error
    check_parity(found, network, metadata, "OpenVINO")


def kernels_of(folder: Path) -> str:
    """Which kernel of this machine runs each convolution of the folder's network."""
    network = open_openvino(folder)
    return kernel_table(network.kernels, network.widened)


OPENVINO = Format(write=write_openvino, is_folder=True, describe=kernels_of)
