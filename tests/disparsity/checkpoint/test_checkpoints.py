"""Checkpoints: exact round trips, damage found before parsing, and saves that are interrupted anywhere."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from disparsity.base import atomic_io
from disparsity.base.errors import CorruptArtefactError, DisparsityError, InputError, StorageError
from disparsity.checkpoint.checkpoints import (
    SIDE_FILE,
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
)

Flip = Callable[[bytes, int], bytes]
TENSORS = {
    "weight": torch.arange(24.0).view(2, 3, 4),
    "half": torch.tensor([1.5, -0.0]).half(),
    "mask": torch.tensor([[True, False]]),
    "step": torch.tensor(7),
    "empty": torch.zeros(0, 3),
}


def save(folder: Path, **metadata: Any) -> Path:
    side_file = folder / SIDE_FILE
    save_checkpoint(side_file, Checkpoint(TENSORS, metadata))
    return side_file


def tensor_file(folder: Path) -> Path:
    (path,) = folder.glob("*.safetensors")
    return path


def test_round_trip_is_exact_by_file_or_folder(tmp_path: Path) -> None:
    side_file = save(tmp_path, epoch=3, nested={"a": [1, None]})
    for path in (side_file, tmp_path):
        loaded = load_checkpoint(path)
        assert loaded.tensors.keys() == TENSORS.keys()
        for name, tensor in TENSORS.items():
            assert loaded.tensors[name].dtype == tensor.dtype
            assert torch.equal(loaded.tensors[name], tensor)
        assert loaded.metadata["nested"] == {"a": [1, None]}
        assert loaded.metadata["epoch"] == 3


def test_layouts_and_gradients_do_not_matter(tmp_path: Path) -> None:
    tensor = torch.randn(2, 3, 4, 5, requires_grad=True)
    odd = {
        "last": tensor.to(memory_format=torch.channels_last),
        "view": tensor.transpose(0, 1),
        "expanded": torch.ones(1).expand(4),
    }
    save_checkpoint(tmp_path / SIDE_FILE, Checkpoint(odd, {}))
    loaded = load_checkpoint(tmp_path).tensors
    assert all(torch.equal(loaded[name], value) for name, value in odd.items())


def test_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = save(tmp_path / "a", seed=1), save(tmp_path / "b", seed=1)
    assert first.read_bytes() == second.read_bytes()
    assert tensor_file(tmp_path / "a").read_bytes() == tensor_file(tmp_path / "b").read_bytes()


def test_saving_again_replaces_the_old_tensors_and_leaves_other_files(tmp_path: Path) -> None:
    save(tmp_path)
    (tmp_path / "metrics.jsonl").write_text("kept")
    save_checkpoint(tmp_path / "resume.json", Checkpoint({"a": torch.ones(1)}, {}))
    save_checkpoint(tmp_path / SIDE_FILE, Checkpoint({"a": torch.zeros(2)}, {}))
    names = sorted(path.name.split("-")[0] for path in tmp_path.iterdir())
    assert names == ["checkpoint", "checkpoint.json", "metrics.jsonl", "resume", "resume.json"]
    assert load_checkpoint(tmp_path).tensors["a"].tolist() == [0.0, 0.0]
    assert load_checkpoint(tmp_path / "resume.json").tensors["a"].tolist() == [1.0]


def test_every_flipped_bit_of_the_tensors_is_found(tmp_path: Path, flipped: Flip) -> None:
    save(tmp_path)
    path = tensor_file(tmp_path)
    content, rng = path.read_bytes(), np.random.default_rng(0)
    for place in rng.choice(len(content) * 8, 200, replace=False):
        path.write_bytes(flipped(content, place))
        with pytest.raises(CorruptArtefactError, match=r"checksum mismatch; found .*; expected"):
            load_checkpoint(tmp_path)
    path.write_bytes(content)
    load_checkpoint(tmp_path)


def test_every_truncation_is_found(tmp_path: Path) -> None:
    side_file = save(tmp_path)
    for path in (tensor_file(tmp_path), side_file):
        content = path.read_bytes()
        for length in np.linspace(0, len(content) - 2, 64).astype(int):
            path.write_bytes(content[:length])
            with pytest.raises(CorruptArtefactError):
                load_checkpoint(tmp_path)
        path.write_bytes(content)


def test_flipped_bits_of_the_description_are_refused_or_harmless(tmp_path: Path, flipped: Flip) -> None:
    side_file = save(tmp_path, network={"name": "stereonet", "settings": {"width": 32}}, masks=["a"], rate=2e-3)
    content, metadata = side_file.read_bytes(), load_checkpoint(side_file).metadata
    for place in np.random.default_rng(0).choice(len(content) * 8, 400, replace=False):
        side_file.write_bytes(flipped(content, place))
        try:
            found = load_checkpoint(side_file).metadata
        except DisparsityError:
            continue
        # white space became other white space, or the checksum's own name was hit
        assert {name: found[name] for name in metadata} == metadata


def test_descriptions_from_before_the_checksum_still_load(tmp_path: Path) -> None:
    side_file = save(tmp_path, seed=3)
    document = json.loads(side_file.read_text())
    del document["description_sha256"]
    side_file.write_text(json.dumps(document))
    assert load_checkpoint(tmp_path).metadata["seed"] == 3


def test_edited_settings_are_found(tmp_path: Path) -> None:
    side_file = save(tmp_path, settings={"width": 32})
    side_file.write_text(side_file.read_text().replace("32\n", "33\n"))
    with pytest.raises(CorruptArtefactError, match=r"checkpoint\.json: the checkpoint description fails its checksum"):
        load_checkpoint(tmp_path)


def test_missing_tensor_file(tmp_path: Path) -> None:
    save(tmp_path)
    tensor_file(tmp_path).unlink()
    with pytest.raises(CorruptArtefactError, match="tensor file is missing"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"schema": "other"}, InputError, "not a disparsity checkpoint"),
        ({"version": 2}, InputError, "another version; found 2; expected 1"),
        ({"sha256": None}, CorruptArtefactError, "incomplete"),
        ({"sha256": 5}, CorruptArtefactError, "checksum mismatch"),
        ({"tensors": "../../elsewhere.safetensors"}, CorruptArtefactError, "tensor file is missing"),
        ({"tensors": ".."}, CorruptArtefactError, "tensor file is missing"),
    ],
)
def test_descriptions_of_another_kind(tmp_path: Path, changes: dict[str, Any], error: type, message: str) -> None:
    side_file = save(tmp_path)
    metadata = json.loads(side_file.read_text()) | changes | {"description_sha256": None}
    side_file.write_text(json.dumps({key: value for key, value in metadata.items() if value is not None}))
    with pytest.raises(error, match=message):
        load_checkpoint(tmp_path)


def test_files_that_are_no_description(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such checkpoint"):
        load_checkpoint(tmp_path)
    for text in ("[1]", '"a"', "3"):
        (tmp_path / SIDE_FILE).write_text(text)
        with pytest.raises(InputError, match="not a disparsity checkpoint"):
            load_checkpoint(tmp_path)
    (tmp_path / SIDE_FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CorruptArtefactError, match="not a checkpoint description"):
        load_checkpoint(tmp_path)


class CrashError(Exception):
    """Stands for the process dying."""


@pytest.mark.parametrize("call", range(12))
def test_a_save_interrupted_at_any_call_to_the_disk_keeps_a_whole_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    save(tmp_path, generation=1)
    count = 0

    def fails_once(function: Any) -> Any:
        def wrapped(*args: Any, **keywords: Any) -> Any:
            nonlocal count
            count += 1
            if count == call + 1:
                raise CrashError
            return function(*args, **keywords)

        return wrapped

    with monkeypatch.context() as patch:
        for name in ("replace", "fsync", "rename"):
            patch.setattr(os, name, fails_once(getattr(os, name)))
        for name in ("write_bytes", "write_text", "replace", "unlink"):
            patch.setattr(Path, name, fails_once(getattr(Path, name)))
        try:
            save_checkpoint(tmp_path / SIDE_FILE, Checkpoint({"weight": torch.zeros(2)}, {"generation": 2}))
        except CrashError:
            assert count > call
    loaded = load_checkpoint(tmp_path)
    assert loaded.tensors["weight"].numel() == (24 if loaded.metadata["generation"] == 1 else 2)
    save(tmp_path, generation=3)
    assert load_checkpoint(tmp_path).metadata["generation"] == 3
    assert len(list(tmp_path.glob("*.safetensors"))) == 1


def test_full_disk_is_an_error_and_the_old_checkpoint_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, generation=1)
    before = sorted(path.name for path in tmp_path.iterdir())

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(atomic_io, "fsync", full)
        with pytest.raises(StorageError, match="the disk is full"):
            save_checkpoint(tmp_path / SIDE_FILE, Checkpoint({"weight": torch.zeros(2)}, {}))
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert load_checkpoint(tmp_path).metadata["generation"] == 1


def test_numbers_that_json_lacks_are_refused_before_anything_is_lost(tmp_path: Path) -> None:
    save(tmp_path, generation=1)
    with pytest.raises(ValueError, match="JSON"):
        save(tmp_path, loss=float("nan"))
    assert load_checkpoint(tmp_path).metadata["generation"] == 1


def test_a_tensor_with_two_names_is_stored_under_both(tmp_path: Path) -> None:
    tensor = torch.arange(3.0)
    save_checkpoint(tmp_path / SIDE_FILE, Checkpoint({"one": tensor, "two": tensor, "part": tensor[1:]}, {}))
    stored = load_checkpoint(tmp_path).tensors
    assert {name: value.tolist() for name, value in stored.items()} == {
        "one": [0.0, 1.0, 2.0], "two": [0.0, 1.0, 2.0], "part": [1.0, 2.0]
    }  # fmt: skip
