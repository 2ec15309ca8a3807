"""Row 2: every state that a power failure can leave of a save, as the order of writes, syncs and renames allows."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path

import pytest
import torch

from disparsity.base import atomic_io
from disparsity.checkpoint.checkpoints import Checkpoint, load_checkpoint, save_checkpoint

Disk = dict[str, bytes]


def save(folder: Path, generation: int) -> None:
    tensors = {"weight": torch.full((6,), float(generation))}
    save_checkpoint(folder / "checkpoint.json", Checkpoint(tensors, {"generation": generation}))


def recorded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...] | tuple[str, str, bytes]]:
    """The calls of a second save: writes, syncs of files and of the folder, renames, removals."""
    calls: list = []
    write, unlink, replace = Path.write_bytes, Path.unlink, os.replace
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", lambda p, c: (calls.append(("write", p.name, c)), write(p, c))[1])
        patch.setattr(Path, "unlink", lambda p, **k: (p.exists() and calls.append(("unlink", p.name)), unlink(p, **k)))
        patch.setattr(os, "replace", lambda a, b: (calls.append(("rename", a.name, b.name)), replace(a, b)))
        patch.setattr(atomic_io, "fsync", lambda p: calls.append(("sync", p.name if p.is_file() else "")))
        save(folder, 2)
    return calls


def states(before: Disk, calls: list, length: int) -> list[Disk]:
    """What may be on the disk after so many calls: unsynced content empty, half or whole, unsynced names old or new."""
    content, synced, names, pending = dict(before), set(before), {name: name for name in before}, []
    for call in calls[:length]:
        if call[0] == "write":
            content[call[1]] = call[2]
            synced.discard(call[1])
            pending.append(call)
        elif call[0] == "sync" and call[1]:
            synced.add(call[1])
        elif call[0] == "sync":
            pending.append(call)
            for done in pending:
                _apply(names, done)
            pending.clear()
        else:
            pending.append(call)
    loose = [name for name in content if name not in synced]
    found = []
    for reached, shares in product(range(len(pending) + 1), product((0.0, 0.5, 1.0), repeat=len(loose))):
        after = dict(names)
        for done in pending[:reached]:
            _apply(after, done)
        cut = dict(zip(loose, shares, strict=True))
        found.append({name: content[of][: round(len(content[of]) * cut.get(of, 1.0))] for name, of in after.items()})
    return found


def _apply(names: dict[str, str], call: tuple) -> None:
    """A change of the folder's list of names; content goes with the name that it was written under."""
    if call[0] == "write":
        names[call[1]] = call[1]
    elif call[0] == "rename" and call[1] in names:
        names[call[2]] = names.pop(call[1])
    elif call[0] == "unlink":
        names.pop(call[1], None)


def test_a_power_failure_after_any_call_leaves_a_whole_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    save(folder, 1)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    calls = recorded(folder, monkeypatch)
    kinds = [call[0] + (" folder" if call[0] == "sync" and not call[1] else "") for call in calls]
    assert kinds == ["write", "sync", "rename", "sync folder"] * 2 + ["unlink"]
    generations = []
    for length in range(len(calls) + 1):
        for number, state in enumerate(states(before, calls, length)):
            disk = tmp_path / f"{length}-{number}"
            disk.mkdir()
            for name, content in state.items():
                (disk / name).write_bytes(content)
            loaded = load_checkpoint(disk)
            assert set(loaded.tensors["weight"].tolist()) == {float(loaded.metadata["generation"])}
            generations.append((length, loaded.metadata["generation"]))
    assert {found for length, found in generations if length < 5} == {1}
    assert {found for length, found in generations if length >= 8} == {2}
