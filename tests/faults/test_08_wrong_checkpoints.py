"""Row 8: a whole checkpoint of something else: refused, with the first differences."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from disparsity.checkpoint.checkpoints import Checkpoint, load_checkpoint, save_checkpoint

Change = Callable[[Checkpoint], Checkpoint]


def renamed(stored: Checkpoint) -> Checkpoint:
    tensors = {f"{name}x" if name.endswith("weight") else name: t for name, t in stored.tensors.items()}
    return replace(stored, tensors=tensors)


def integers(stored: Checkpoint) -> Checkpoint:
    return replace(stored, tensors={name: tensor.round().to(torch.int32) for name, tensor in stored.tensors.items()})


def metadata(**changes: object) -> Change:
    return lambda stored: replace(stored, metadata={**stored.metadata, **changes})


CASES: dict[str, tuple[Change, str]] = {
    "names": (renamed, r"missing \[('[^']+'(, )?){5}\], unexpected \[('[^']+'(, )?){5}\]"),
    "kind of numbers": (integers, r"mis-shaped \['[^']+ torch.int32 for torch.float32"),
    "mask": (metadata(masks=["downsampling.0"]), r"missing \['downsampling.0.parametrizations"),
    "width": (
        metadata(network={"name": "reference", "settings": {"halvings": 2, "width": 6, "max_disparity": 16}}),
        r"mis-shaped \['[^']+ \(\d+, \d+",
    ),
    "a bomb": (
        metadata(network={"name": "reference", "settings": {"width": 40_000}}),
        r"not the parameters of network 'reference'; found \d{11,} described, \d{4,5} numbers there",
    ),
    "another network": (metadata(network={"name": "gcnet", "settings": {}}), r"'gcnet'; found \d+ described"),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused(checkpoint: Path, tmp_path: Path, one_line: Callable[..., str], name: str) -> None:
    change, message = CASES[name]
    stored = load_checkpoint(checkpoint)
    plain = {key: stored.metadata[key] for key in ("network", "folded", "masks", "quantizers")}
    save_checkpoint(tmp_path / "checkpoint.json", change(Checkpoint(stored.tensors, plain)))
    line = one_line(2, "evaluate", tmp_path, "--data", "synthetic:?pairs=1&size=64x128")
    assert re.search(message, line), line


def test_a_newer_format_is_refused(checkpoint: Path, tmp_path: Path, one_line: Callable[..., str]) -> None:
    text = (checkpoint / "checkpoint.json").read_text().replace('"version": 1', '"version": 99')
    (tmp_path / "checkpoint.json").write_text(text)
    line = one_line(2, "evaluate", tmp_path, "--data", "synthetic:?pairs=1&size=64x128")
    assert "checkpoint of another version; found 99; expected 1" in line
