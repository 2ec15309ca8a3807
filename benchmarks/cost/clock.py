"""Wall time, processor time and peak memory of what runs here."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Taken:
    """Seconds by the clock on the wall, and of processor time (all threads of the process)."""

    wall_s: float
    processor_s: float


def timed(work: Callable[[], Any]) -> tuple[Taken, Any]:
    """What a call took, and what it returned."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return Taken(time.perf_counter() - wall, time.process_time() - processor), result


def median(taken: Sequence[Taken]) -> Taken:
    return Taken(statistics.median(t.wall_s for t in taken), statistics.median(t.processor_s for t in taken))


def ratio(one: Sequence[Taken], other: Sequence[Taken]) -> Taken:
    """Median over the rounds of one's time as a multiple of the other's in the same round."""
    pairs = list(zip(one, other, strict=True))
    return Taken(
        statistics.median(a.wall_s / b.wall_s for a, b in pairs),
        statistics.median(a.processor_s / b.processor_s for a, b in pairs),
    )


def peak_mb() -> float:
    """The most memory this program has held; unlike ru_maxrss without what the process was before its program."""
    return _status_kb("VmHWM") / 1024


def resident_mb() -> float:
    return _status_kb("VmRSS") / 1024


def load() -> float:
    """Runnable processes of the machine, averaged over the last minute."""
    return os.getloadavg()[0]


def _status_kb(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))
