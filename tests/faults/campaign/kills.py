"""SIGKILL at random moments of every writer: what was there is never lost, what is there is whole."""

from __future__ import annotations

import random
import shutil
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from campaign.children import ended, kill_after, start, wait_for
from campaign.writers import WRITERS

from disparsity.base import atomic_io
from disparsity.run.folder import trim_metrics


@dataclass(frozen=True, kw_only=True)
class Killed:
    """What came of the kills of one writer: how many, how many hit a write, how many lost or broke anything."""

    kills: int
    during_a_write: int
    lost: int
    broken: int
    left_over: int


def kill(name: str, times: int, folder: Path, seed: int = 0) -> Killed:
    """Kill a process that writes one generation after the other, so many times; each goes on behind the one before.

    A kill lands at a random place of a write of average length. Lost is a generation that was written before and is
    older now; broken is one that cannot be read. What a killed process leaves lying about must be gone after the next
    write.
    """
    writer, rng = WRITERS[name], random.Random(f"{name} {seed}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    writer.write(folder, 1)
    started = time.perf_counter()
    writer.write(folder, 2)
    seconds = time.perf_counter() - started
    last, hits, lost, broken = 2, 0, 0, 0
    for number in range(times):
        ready = folder.with_name(f"ready-{number}")
        child = start(lambda ready=ready, first=last + 1: _write_for_ever(name, folder, first, ready))
        wait_for(ready, child)
        kill_after(child, rng.random() * 2 * seconds)
        hits += any(path.name.endswith(".disparsity.tmp") for path in folder.rglob(".*"))
        try:
            found = writer.read(folder)
            lost += found < last
            last = max(last, found)
        except Exception as error:
            print(f"{name}, kill {number}: {type(error).__name__}: {error}")
            broken += 1
        ready.unlink()
    left = _left_after_one_more(name, folder, last + 1)
    return Killed(kills=times, during_a_write=hits, lost=lost, broken=broken, left_over=left)


def _write_for_ever(name: str, folder: Path, first: int, ready: Path) -> None:
    atomic_io._cleared.clear()  # as a fresh process
    if name == "metrics":
        trim_metrics(folder, first - 1)  # as a resumed phase
    for generation in count(first):
        if generation == first + 1:
            ready.touch()
        WRITERS[name].write(folder, generation)


def _left_after_one_more(name: str, folder: Path, generation: int) -> int:
    def work() -> None:
        atomic_io._cleared.clear()
        if name == "metrics":
            trim_metrics(folder, generation - 1)
        WRITERS[name].write(folder, generation)

    assert ended(start(work)) == 0
    assert WRITERS[name].read(folder) == generation
    return sum(path.name.startswith(".") for path in folder.rglob("*"))
