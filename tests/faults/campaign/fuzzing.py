"""Parsers under mutated files: every input ends in a value or in our own error, in time and in little memory."""

from __future__ import annotations

import mmap
import random
import resource
import signal
import struct
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from campaign.children import ended, start
from campaign.targets import TARGETS, Target

from disparsity.base.errors import DisparsityError

BLOCK = 2_000
SECONDS_PER_INPUT = 10
MEMORY_BYTES = 1 << 30
"""That one input may ask for beyond what the process has."""


@dataclass
class Tally:
    """What came of the inputs so far."""

    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)


def one(target: Target, seeds: list[bytes], seed: str, path: Path) -> bool:
    """Whether the input of this seed was accepted; refused otherwise. Raises whatever else the parser raises."""
    rng = random.Random(seed)
    path.write_bytes(target.damage(rng, seeds))
    try:
        target.read(path, rng)
    except DisparsityError:
        return False
    return True


def block(name: str, number: int, folder: Path) -> Tally:
    """`BLOCK` inputs of a target in a process of their own; a crash costs the rest of the block and is a fault."""
    target, tally = TARGETS[name], Tally()
    scratch = folder / name
    scratch.mkdir(parents=True, exist_ok=True)
    seeds = target.seeds(scratch)
    shared = mmap.mmap(-1, 64)

    def work() -> None:
        warnings.simplefilter("error")
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, resource.RLIM_INFINITY))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # also ends a library that never comes back
        counts = [0, 0]
        for index in range(BLOCK):
            shared[:24] = struct.pack("qqq", index, *counts)
            signal.alarm(SECONDS_PER_INPUT)
            try:
                counts[one(target, seeds, f"{name} {number} {index}", scratch / "input")] += 1
            except BaseException as error:
                with (scratch / "faults.txt").open("a") as file:
                    file.write(f"{name} {number} {index}: {type(error).__name__}: {str(error)[:200]}\n")
        signal.alarm(0)
        shared[:24] = struct.pack("qqq", BLOCK, *counts)

    (scratch / "faults.txt").unlink(missing_ok=True)
    code = ended(start(work))
    reached, tally.refused, tally.accepted = struct.unpack("qqq", shared[:24])
    tally.inputs = reached
    if (scratch / "faults.txt").is_file():
        tally.faults = (scratch / "faults.txt").read_text().splitlines()
    if code:
        tally.faults.append(f"{name} {number} {reached}: the process ended with {code}")
    return tally
