"""Row 7: cut files and single flipped bits in everything that a run leaves and reads again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from disparsity.base.errors import CorruptArtefactError, DisparsityError
from disparsity.checkpoint.checkpoints import load_checkpoint
from disparsity.checkpoint.packed import write_network
from disparsity.checkpoint.restore import open_network
from disparsity.hwcost.codec.packed_file import read_packed
from disparsity.report.evaluations import read_evaluations
from disparsity.run.folder import append_metrics, history
from disparsity.run.manifest import check_recipe

Flip = Callable[[bytes, int], bytes]


def places(content: bytes, count: int) -> list[int]:
    """Every bit of the first 32 bytes, and others at random."""
    return [*range(256), *np.random.default_rng(0).choice(len(content) * 8, count, replace=False)]


def test_tensors_are_refused_before_they_are_parsed(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flipped: Flip
) -> None:
    folder = Path(shutil.copytree(checkpoint, tmp_path / "checkpoint"))
    (path,) = folder.glob("*.safetensors")
    content, parsed = path.read_bytes(), []
    monkeypatch.setattr("safetensors.torch.load_file", lambda _path: parsed.append(1))
    damaged = [flipped(content, place) for place in places(content, 244)]
    damaged += [content[: len(content) * part // 64] for part in range(64)]
    for bad in damaged:
        path.write_bytes(bad)
        with pytest.raises(CorruptArtefactError, match=r"checksum mismatch; .*; restore it from a copy, or remove"):
            load_checkpoint(folder)
    assert (len(damaged), parsed) == (564, [])


READERS: dict[str, Callable[[Path], Any]] = {
    "evaluation/dense.json": read_evaluations,
    "evaluation/dense/00.npy": read_evaluations,
    "stages/01-prune/checkpoint.json": lambda run: load_checkpoint(run / "stages/01-prune").metadata,
    "stages/01-prune/metrics.jsonl": history,
    "recipe.toml": check_recipe,
    "manifest.json": check_recipe,
}


@pytest.mark.parametrize("name", READERS)
def test_what_a_report_is_made_of(finished: Path, tmp_path: Path, name: str, flipped: Flip) -> None:
    run = tmp_path / "run"
    for part in ("recipe.toml", "manifest.json", "evaluation", "stages/01-prune"):
        source = finished / part
        (run / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, run / part) if source.is_dir() else shutil.copy(source, run / part)
    path, read = run / name, READERS[name]
    if path.name == "metrics.jsonl":
        path.write_bytes(b"")
        append_metrics(path.parent, {"step": 10, "loss": 0.625})
    content, whole = path.read_bytes(), read(run)
    found = 0
    tried = places(content, 120) if len(content) > 60 else range(len(content) * 8)
    for place in tried:
        path.write_bytes(flipped(content, place))
        try:
            again = read(run)
        except DisparsityError:
            found += 1
        else:  # white space, or the name of the checksum itself: every value is as it was
            assert _holds(again, whole)
    assert found > 0.6 * len(tried)


def _holds(again: Any, whole: Any) -> bool:
    """Whether every value is still there, under its name; a seal whose name was hit may be there too."""
    if isinstance(whole, dict):
        return all(key in again and _holds(again[key], value) for key, value in whole.items())
    if isinstance(whole, list):
        return len(again) == len(whole) and all(map(_holds, again, whole))
    return bool(again == whole)


def test_a_packed_network(finished: Path, tmp_path: Path, flipped: Flip) -> None:
    path = tmp_path / "compressed.h5"
    write_network(path, open_network(str(finished / "stages/04-finetune_quantized"), None))
    content, whole = path.read_bytes(), read_packed(path)
    for place in places(content, 200):
        path.write_bytes(flipped(content, place))
        try:
            again = read_packed(path)
        except CorruptArtefactError:
            continue
        assert [layer.name for layer in again.layers] == [layer.name for layer in whole.layers]
        assert again.header == whole.header
        assert all(np.array_equal(again.tensors[name], whole.tensors[name]) for name in whole.tensors)
