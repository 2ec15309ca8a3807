"""What a file says about itself: there and back, and refusals of what is damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.evaluation.sessions.metadata import KEY, FileMetadata, from_metadata, metadata_of, to_metadata
from disparsity.stereo.networks import build_network

METADATA = FileMetadata(
    network="reference", stage="dense", input_size=(384, 1248), divisor=8, fill=(0.5, 0.25, 0.125), max_disparity=48
)
FILE = Path("file.onnx")


def test_there_and_back() -> None:
    assert from_metadata(to_metadata(METADATA), FILE) == METADATA


@pytest.mark.parametrize(
    ("size", "padded"), [((375, 1242), (384, 1248)), ((384, 1248), (384, 1248)), ((1, 1), (16, 16))]
)
def test_the_input_is_as_large_as_the_padded_image(size: tuple[int, int], padded: tuple[int, int]) -> None:
    network = build_network("stereonet", width=4, refinement_width=2, max_disparity=32)
    metadata = metadata_of(network, size)
    assert metadata.input_size == padded
    assert (metadata.network, metadata.stage, metadata.divisor, metadata.max_disparity) == (
        "stereonet",
        "dense",
        16,
        32,
    )


def test_files_of_others_and_of_other_versions() -> None:
    with pytest.raises(InputError, match=r"file.onnx: no metadata of a network in the file"):
        from_metadata({"other": "entry"}, FILE)
    entry = json.loads(to_metadata(METADATA)[KEY]) | {"version": 2}
    with pytest.raises(InputError, match="another version"):
        from_metadata({KEY: json.dumps(entry)}, FILE)


@pytest.mark.parametrize(("field", "value"), [
    ("input_size", [384]), ("input_size", [383, 1248]), ("input_size", 384), ("divisor", 0), ("divisor", "8"),
    ("fill", [0.5]), ("fill", ["a", "b", "c"]), ("max_disparity", -1), ("network", None), ("more", 1),
])  # fmt: skip
def test_damaged_entries(field: str, value: Any) -> None:
    entry = json.loads(to_metadata(METADATA)[KEY]) | {field: value}
    with pytest.raises(CorruptArtefactError, match="damaged"):
        from_metadata({KEY: json.dumps(entry)}, FILE)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "3"])
def test_entries_that_are_none(text: str) -> None:
    with pytest.raises(CorruptArtefactError, match="damaged"):
        from_metadata({KEY: text}, FILE)


def test_facts_are_plain() -> None:
    assert replace(METADATA, stage="pruned") != METADATA
    assert json.loads(to_metadata(METADATA)[KEY])["input_size"] == [384, 1248]
