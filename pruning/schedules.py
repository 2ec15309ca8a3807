"""Sparsity schedules: the density after each pruning event."""

from __future__ import annotations

import math
from collections.abc import Callable

CYCLES = 3
"""Of the schedule `cyclic`."""


def log_density(progress: float, start: float, end: float) -> float:
    """Density falls by the same factor at every event: ``start (end / start) ** progress``.

    Interpretation: equal relative removal per event; the cubic schedule removes survivors many times faster at its
    end when the final density is small.
    """
    return start * (end / start) ** progress


def cubic(progress: float, start: float, end: float) -> float:
    """Sparsity grows fast at first, then slowly. Source: Zhu and Gupta 2017, equation 1."""
    return end + (start - end) * (1.0 - progress) ** 3


def cyclic(progress: float, start: float, end: float) -> float:
    """Density falls to its end several times; in between it returns to ever lower values.

    Cycle c of `CYCLES` (from 0) starts at ``start (end / start) ** (c / CYCLES)`` and falls to the end by equal ratios.
    It needs a mode in which pruned weights can return. Source of the idea: cyclic sparsity in EAST (Li et al.,
    arXiv 2411.13545), which varies the sparsity in cycles while training. Interpretation: number, shape and height of
    the cycles.
    """
    cycle = max(0, math.ceil(round(progress * CYCLES, 9)) - 1)
    inside = round(progress * CYCLES - cycle, 9)
    return end if inside == 1.0 else log_density(inside, log_density(cycle / CYCLES, start, end), end)


def one_shot(progress: float, start: float, end: float) -> float:
    """The final density at the first event."""
    del progress, start
    return end


SCHEDULES: dict[str, Callable[[float, float, float], float]] = {
    "log_density": log_density,
    "cubic": cubic,
    "one_shot": one_shot,
    "cyclic": cyclic,
}


def event_steps(steps: int, events: int, share: float, warmup: float = 0.0) -> tuple[int, ...]:
    """The training steps before which events happen: evenly spread from `warmup` to `share` of all steps.

    The first event comes after one interval, so that running scores have something to average; several events may
    fall on one step when there are fewer steps than events.
    """
    return tuple(round(warmup * steps + (event + 1) * (share - warmup) * steps / events) for event in range(events))


def density_after(event: int, events: int, schedule: str, first: float, last: float) -> float:
    """The density that event number `event` (1-based) of `events` leaves.

    Args:
        event: 1 to `events`.
        events: how many there are.
        schedule: a name in `SCHEDULES`.
        first: density that the first event goes straight to; 1 lets the schedule start at the dense network.
        last: density that the last event leaves.

    """
    if event == events:
        return last
    if first == 1.0:
        return SCHEDULES[schedule](event / events, 1.0, last)
    return SCHEDULES[schedule]((event - 1) / (events - 1), first, last)
