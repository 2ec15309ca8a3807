"""Timing of several functions on a busy machine: taken in turns, reported as medians."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from disparsity.base.errors import InputError

Clock = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Wall-clock time of one thing, in milliseconds.

    Attributes:
        median_ms: half of the runs took less.
        quartiles_ms: a quarter took less than the first, a quarter more than the second.
        lowest_ms: of the fastest run.
        runs: how many there were, warm-up not counted.

    """

    median_ms: float
    quartiles_ms: tuple[float, float]
    lowest_ms: float
    runs: int


def measure(
    things: Mapping[str, Callable[[], object]], runs: int, warm_up: int, clock: Clock = time.perf_counter
) -> dict[str, Timing]:
    """Time several things in turns, so that other load on the machine slows all of them equally.

    Args:
        things: by name; each is called ``warm_up + runs`` times, every round calls all of them in order.
        runs: that count, 1 or more.
        warm_up: runs before these, 0 or more.
        clock: in seconds.

    Raises:
        InputError: there is nothing to run.

    """
    if runs < 1 or warm_up < 0:
        raise InputError("latency needs runs", found=f"{runs} runs, {warm_up} before", expected="1 or more, 0 or more")
    seconds: dict[str, list[float]] = {name: [] for name in things}
    for turn in range(warm_up + runs):
        for name, run in things.items():
            started = clock()
            run()
            if turn >= warm_up:
                seconds[name].append(clock() - started)
    return {name: summarise(values) for name, values in seconds.items()}


def summarise(seconds: Sequence[float]) -> Timing:
    """Median and spread of some runs, in seconds."""
    lowest, first, median, third = (float(1000 * value) for value in np.percentile(seconds, (0, 25, 50, 75)))
    return Timing(median_ms=median, quartiles_ms=(first, third), lowest_ms=lowest, runs=len(seconds))
