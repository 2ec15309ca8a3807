"""Checkpoints: tensors as safetensors, everything else as JSON beside them, checked by SHA-256 before parsing.

The JSON file is the commit point: it names its tensor file and that file's hash, and is written last. A crash at
any moment therefore leaves the previous checkpoint whole.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from disparsity.base.atomic_io import sha256_of, write_bytes, write_json
from disparsity.base.checksummed_json import hash_of
from disparsity.base.errors import CorruptArtefactError, InputError

SCHEMA = "disparsity.checkpoint"
VERSION = 1
SIDE_FILE = "checkpoint.json"
_OWN_HASH = "description_sha256"
_REMEDY = "restore it from a copy, or remove the .json file that names it: a run then makes it again"


@dataclass(frozen=True)
class Checkpoint:
    """Named tensors, and metadata that JSON can hold."""

    tensors: dict[str, Tensor]
    metadata: dict[str, Any]


def save_checkpoint(side_file: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint so that `side_file` always describes a whole one; older tensor files are then removed."""
    content = safetensors.torch.save(_with_own_memory(checkpoint.tensors))
    digest = hashlib.sha256(content).hexdigest()
    tensor_file = side_file.with_name(f"{side_file.stem}-{digest[:12]}.safetensors")
    write_bytes(tensor_file, content)
    document = {
        "schema": SCHEMA,
        "version": VERSION,
        "tensors": tensor_file.name,
        "sha256": digest,
        **checkpoint.metadata,
    }
    write_json(side_file, document | {_OWN_HASH: hash_of(document)})
    for old in side_file.parent.glob(f"{side_file.stem}-*.safetensors"):
        if old != tensor_file:
            old.unlink()


def _with_own_memory(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as safetensors takes them: one with several names (one BatchNorm in two places) is copied."""
    plain = {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}
    first = {tensor.untyped_storage().data_ptr(): name for name, tensor in reversed(plain.items())}
    return {n: t if first[t.untyped_storage().data_ptr()] == n else t.clone() for n, t in plain.items()}


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint given its JSON file or the folder that holds `checkpoint.json`.

    Raises:
        InputError: there is no such checkpoint, or it has another schema or version.
        CorruptArtefactError: the JSON cannot be parsed or the tensors fail their checksum.

    """
    metadata = load_metadata(path)
    tensor_file = (path if path.is_dir() else path.parent) / Path(str(metadata["tensors"])).name
    if not tensor_file.is_file():
        raise CorruptArtefactError("the checkpoint's tensor file is missing", where=tensor_file, remedy=_REMEDY)
    digest = sha256_of(tensor_file)
    if digest != metadata["sha256"]:
        raise CorruptArtefactError(
            "checksum mismatch",
            where=tensor_file,
            found=digest[:12],
            expected=str(metadata["sha256"])[:12],
            remedy=_REMEDY,
        )
    return Checkpoint(_read_tensors(tensor_file), metadata)


def load_metadata(path: Path) -> dict[str, Any]:
    """The metadata of a checkpoint without its tensors; arguments and errors as `load_checkpoint`."""
    return _read_metadata(path / SIDE_FILE if path.is_dir() else path)


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError, RuntimeError, OverflowError) as error:
        # a crafted file with a valid checksum
        raise CorruptArtefactError("no tensor file", where=path, found=str(error)[:120]) from error


def _read_metadata(side_file: Path) -> dict[str, Any]:
    if not side_file.is_file():
        raise InputError("no such checkpoint", where=side_file)
    try:
        metadata = json.loads(side_file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise CorruptArtefactError("not a checkpoint description", where=side_file, found=str(error)) from error
    if not isinstance(metadata, dict) or metadata.get("schema") != SCHEMA:
        raise InputError("not a disparsity checkpoint", where=side_file, expected=f"schema {SCHEMA}")
    if metadata.get("version") != VERSION:
        raise InputError(
            "checkpoint of another version", where=side_file, found=metadata.get("version"), expected=VERSION
        )
    if not {"tensors", "sha256"} <= set(metadata):
        raise CorruptArtefactError("incomplete checkpoint description", where=side_file)
    # absent in descriptions written before it was added; one damaged bit cannot both remove it and change anything else
    expected = metadata.pop(_OWN_HASH, None)
    if expected is not None and expected != hash_of(metadata):
        raise CorruptArtefactError("the checkpoint description fails its checksum", where=side_file, remedy=_REMEDY)
    return metadata
