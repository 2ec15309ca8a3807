"""Listing, drawing, caching and a pass over a data set of a given number of pairs."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from harness.clock import load, peak_mb, resident_mb, timed

from disparsity.datasets.batches.cache import CachedDataset, SampleCache
from disparsity.datasets.batches.stream import TrainingStream
from disparsity.datasets.sample import Sample
from disparsity.datasets.uri import open_data

DRAWS, BATCH = 64, 4
SIDE = (8, 16)


class Pairs:
    """So many small pairs, made when they are asked for."""

    name = "pairs"

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        view = torch.full((3, *SIDE), (index % 256) / 255)
        truth = torch.full(SIDE, 3.0)
        return Sample(left=view, right=view, disparity=truth, valid=truth > 0, id=f"{index}")

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def ids(self) -> list[str]:
        """Their numbers."""
        return [f"{index}" for index in range(len(self))]

    def fingerprint(self) -> str:
        """Always the same."""
        return hashlib.sha256(b"pairs").hexdigest()


def measure(kind: str, count: int) -> dict[str, Any]:
    """Processor seconds and memory beside the process of one kind of work."""
    work = KINDS[kind](count)
    before, held = load(), resident_mb()
    return {"size": count, **timed(work), "memory_mb": max(0.0, peak_mb() - held), "load": before}


def _listing(count: int) -> Callable[[], object]:
    root = Path(tempfile.mkdtemp())
    for view in ("image_2", "image_3", "disp_occ_0"):
        folder = root / "training" / view
        folder.mkdir(parents=True)
        for frame in range(count):
            (folder / f"{frame:06d}_10.png").touch()
    open_data("synthetic:?pairs=1&size=32x64")
    return lambda: len(open_data(f"kitti2015:{root}"))


def _drawing(count: int) -> Callable[[], object]:
    stream = TrainingStream([Pairs(count)], [1.0], BATCH, None, 0)
    stream.next_batch(0)
    return lambda: [stream.next_batch(step) for step in range(1, 1 + DRAWS)]


def _caching(count: int) -> Callable[[], object]:
    data = CachedDataset(Pairs(count), SampleCache(1 << 40))
    return lambda: [data[index] for index in range(count)]


def _pass(count: int) -> Callable[[], object]:
    """All samples again, from memory."""
    data = CachedDataset(Pairs(count), SampleCache(1 << 40))
    for index in range(count):
        data[index]
    return lambda: [data[index].id for index in range(count)]


KINDS: dict[str, Callable[[int], Callable[[], object]]] = {
    "listing": _listing,
    "drawing": _drawing,
    "caching": _caching,
    "pass": _pass,
}
