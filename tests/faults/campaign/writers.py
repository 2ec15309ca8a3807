"""Everything that writes, as generations that can be told apart: what is on the disk is one of them, whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch

from disparsity.base.atomic_folder import write_folder
from disparsity.base.atomic_io import write_bytes
from disparsity.base.checksummed_json import read_checksummed, write_checksummed
from disparsity.checkpoint.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from disparsity.datasets.packed.reader import PackedDataset, PackedSettings
from disparsity.datasets.packed.writer import pack
from disparsity.datasets.sample import Sample
from disparsity.hwcost.codec.packed_file import _hdf5_of
from disparsity.run.folder import append_metrics, read_metrics

SIZE = 60_000


@dataclass(frozen=True)
class Writer:
    """One kind of file: `write` puts generation g (1, 2, ...) into a folder, `read` finds out which one is there.

    `read` raises whatever it finds wrong; assertions are its own.
    """

    write: Callable[[Path, int], object]
    read: Callable[[Path], int]


def _pattern(generation: int) -> bytes:
    return generation.to_bytes(4, "big") * (SIZE // 4)


def _generation(content: bytes) -> int:
    generation = int.from_bytes(content[:4], "big")
    assert content == _pattern(generation), f"{len(content)} bytes of generation {generation} and others"
    return generation


def _save(folder: Path, generation: int) -> None:
    tensors = {"weight": torch.full((SIZE // 8,), float(generation)), "mask": torch.full((99,), generation % 2 == 0)}
    save_checkpoint(folder / "checkpoint.json", Checkpoint(tensors, {"generation": generation}))


def _load(folder: Path) -> int:
    stored = load_checkpoint(folder)
    generation = int(stored.metadata["generation"])
    assert bool((stored.tensors["weight"] == generation).all())
    assert bool((stored.tensors["mask"] == (generation % 2 == 0)).all())
    return generation


def _write_packed(folder: Path, generation: int) -> None:
    write_bytes(folder / "compressed.h5", _hdf5_of(_pattern(generation)))


def _read_packed(folder: Path) -> int:
    with h5py.File(folder / "compressed.h5", "r") as file:
        return _generation(np.asarray(file["packed"]).tobytes())


class _Scenes:
    """Two pairs whose every pixel is the generation; a `StereoDataset`."""

    name = "scenes"

    def __init__(self, generation: int) -> None:
        self.generation = generation

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Sample:
        view = torch.full((3, 32, 64), self.generation % 256, dtype=torch.uint8).float() / 255
        disparity = torch.full((32, 64), float(self.generation))
        return Sample(view, view.clone(), disparity, disparity > 0, self.ids()[index])

    def __iter__(self):
        return (self[index] for index in range(2))

    def ids(self) -> list[str]:
        return ["a", "b"]

    def fingerprint(self) -> str:
        return str(self.generation)


def _read_packed_data(folder: Path) -> int:
    data = PackedDataset(PackedSettings(path=folder / "data.h5"))
    for index in range(len(data)):
        data.check(index)
    return int(data[0].disparity[0, 0])


def _fill(folder: Path, generation: int) -> None:
    (folder / "deep").mkdir()
    for name in ("network.xml", "network.bin", "deep/facts.json"):
        (folder / name).write_bytes(_pattern(generation))


NAMES = ("network.xml", "network.bin", "deep")


def _read_folder(folder: Path) -> int:
    found = {_generation(path.read_bytes()) for path in (folder / "export").rglob("*") if path.is_file()}
    assert len(found) == 1, found
    assert sorted(path.name for path in (folder / "export").iterdir()) == sorted(NAMES)
    return found.pop()


def _append(folder: Path, generation: int) -> None:
    append_metrics(folder, {"step": generation, "text": "x" * 2_000})


def _read_log(folder: Path) -> int:
    steps = [row["step"] for row in read_metrics(folder / "metrics.jsonl")]
    assert steps == list(range(1, len(steps) + 1)), steps[-5:]
    return len(steps)


WRITERS: dict[str, Writer] = {
    "file": Writer(
        lambda folder, generation: write_bytes(folder / "a.bin", _pattern(generation)),
        lambda folder: _generation((folder / "a.bin").read_bytes()),
    ),
    "checksummed JSON": Writer(
        lambda folder, generation: write_checksummed(folder / "a.json", {"rows": [generation] * 5_000}),
        lambda folder: int(read_checksummed(folder / "a.json", "rows", "")["rows"][0]),
    ),
    "checkpoint": Writer(_save, _load),
    "packed network": Writer(_write_packed, _read_packed),
    "packed data": Writer(
        lambda folder, generation: pack(_Scenes(generation), folder / "data.h5"),
        _read_packed_data,
    ),
    "export folder": Writer(
        lambda folder, generation: write_folder(folder / "export", NAMES, lambda inner: _fill(inner, generation)),
        _read_folder,
    ),
    "metrics": Writer(_append, _read_log),
}
"""Every function of the package that writes, by what it writes."""
