"""Metadata of an exported file: everything that is needed to run it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.checkpoint.restore import stage_of
from disparsity.stereo.network import StereoNetwork

KEY = "disparsity"
"""Of the one entry of ours in the metadata of a file; its value is JSON."""
INPUTS, OUTPUT = ("left", "right"), "disparity"
"""Names of a graph's inputs and of its output."""
OPENVINO_FILES = ("network.xml", "network.bin")
"""The graph and the weights in a folder for OpenVINO."""
_SCHEMA, _VERSION = "disparsity.deployed", 1


@dataclass(frozen=True, kw_only=True)
class FileMetadata:
    """Description of a network that was exported at one input size, as a runtime needs it.

    Attributes:
        network: its name.
        stage: `dense`, `pruned` or `quantized`.
        input_size: height and width of the two inputs ``[1, 3, H, W]``, RGB in 0..1.
        divisor: images are padded at the top and on the right to multiples of this, which must give `input_size`.
        fill: RGB in 0..1 that the padding consists of; the preprocessing inside the graph makes it 0.
        max_disparity: largest disparity that the network's cost volume covers, in pixels.

    """

    network: str
    stage: str
    input_size: tuple[int, int]
    divisor: int
    fill: tuple[float, float, float]
    max_disparity: int


def metadata_of(network: StereoNetwork, size: tuple[int, int]) -> FileMetadata:
    """The metadata of an export for images of this height and width; the input is as large as the padded image."""
    spec = network.spec
    return FileMetadata(
        network=spec.name,
        stage=stage_of(network),
        input_size=(size[0] + -size[0] % spec.divisor, size[1] + -size[1] % spec.divisor),
        divisor=spec.divisor,
        fill=spec.mean,
        max_disparity=spec.max_disparity,
    )


def to_metadata(metadata: FileMetadata) -> dict[str, str]:
    """The metadata as entries of a file's metadata."""
    return {KEY: json.dumps({"schema": _SCHEMA, "version": _VERSION, **asdict(metadata)})}


def from_metadata(entries: Mapping[str, str], where: Path) -> FileMetadata:
    """The inverse of `to_metadata`.

    Raises:
        InputError: there is no entry of ours, or it is of another version.
        CorruptArtefactError: the entry is damaged.

    """
    if KEY not in entries:
        remedy = "write it with: disparsity export"
        raise InputError("no metadata of a network in the file", where=where, remedy=remedy)
    try:
        entry = json.loads(entries[KEY])
        found = entry.pop("schema"), entry.pop("version")
        metadata = (
            FileMetadata(**{name: _plain(value) for name, value in entry.items()}) if found == (_SCHEMA, 1) else None
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CorruptArtefactError("the description in the file is damaged", where=where, found=error) from error
    if metadata is None:
        raise InputError("the file is of another version", where=where, found=found, expected=(_SCHEMA, _VERSION))
    if not _is_sound(metadata):
        raise CorruptArtefactError("the description in the file is damaged", where=where, found=metadata)
    return metadata


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _is_sound(metadata: FileMetadata) -> bool:
    """Whether every field is of its type and in its range."""
    size, fill = metadata.input_size, metadata.fill
    shapes = isinstance(size, tuple) and isinstance(fill, tuple) and (len(size), len(fill)) == (2, 3)
    assert len(fields(metadata)) == 6
    return (
        shapes
        and all(isinstance(value, int) and value > 0 for value in (*size, metadata.divisor, metadata.max_disparity))
        and all(isinstance(value, int | float) for value in fill)
        and not any(length % metadata.divisor for length in size)
        and isinstance(metadata.network, str)
        and isinstance(metadata.stage, str)
    )
