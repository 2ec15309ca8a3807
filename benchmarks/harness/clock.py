"""Wall time, processor time and peak memory of this process, and things that are timed in turns."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def timed(work: Callable[[], Any]) -> dict[str, float]:
    """Seconds by the wall clock, and of processor time (all threads of the process)."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return {"wall_s": time.perf_counter() - wall, "processor_s": time.process_time() - processor}


def in_turns(works: Mapping[str, Callable[[], Any]], rounds: int, warm_up: int = 2) -> dict[str, list[float]]:
    """Processor seconds of every work in every round; each round begins with another one, so that none is favoured."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for number in range(warm_up + rounds):
        first = number % len(works)
        for name in [*list(works)[first:], *list(works)[:first]]:
            seconds = timed(works[name])["processor_s"]
            if number >= warm_up:
                taken[name].append(seconds)
    return taken


def median_ratio(times: list[float], base: list[float]) -> float:
    """The median over the rounds of a time as a multiple of another one's in the same round."""
    return statistics.median(a / b for a, b in zip(times, base, strict=True))


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
