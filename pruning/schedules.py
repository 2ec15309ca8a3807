"""How density falls from event to event."""

from __future__ import annotations

from collections.abc import Callable


def log_density(progress: float, start: float, end: float) -> float:
    """Density falls by the same factor at every event: ``start (end / start) ** progress``.

    Interpretation: equal relative removal per event; the cubic schedule removes survivors many times faster at its
    end when the final density is small.
    """
    return start * (end / start) ** progress


def cubic(progress: float, start: float, end: float) -> float:
    """Sparsity grows fast at first, then slowly. Source: Zhu and Gupta 2017, equation 1."""
    return end + (start - end) * (1.0 - progress) ** 3


def one_shot(progress: float, start: float, end: float) -> float:
    """The final density at the first event."""
    del progress, start
    return end


SCHEDULES: dict[str, Callable[[float, float, float], float]] = {
    "log_density": log_density,
    "cubic": cubic,
    "one_shot": one_shot,
}


def event_steps(steps: int, events: int, share: float) -> tuple[int, ...]:
    """The training steps before which events happen: evenly spread over the first `share` of all steps.

    The first event comes after one interval, so that running scores have something to average; several events may
    fall on one step when there are fewer steps than events.
    """
    return tuple(round((event + 1) * share * steps / events) for event in range(events))


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
