"""The figures as a page."""

from __future__ import annotations

from typing import Any

from hardware.markdown import grouped, table

from cost.clock import Taken, median
from cost.events import QUIET
from cost.steps import SPARSITY
from cost.thresholds import COUNT, REPEATS, VALUES

MOST_STEP, MOST_EVENT_S = 1.10, 10.0


def page(step: dict[str, Any], large: list[dict[str, Any]], ways: dict[str, dict[str, Any]]) -> list[str]:
    """Markdown from what the modules measured."""
    return [
        "# What stage one costs",
        "",
        "One thread. Wall time depends on what else the machine does (load average beside the figures: two cores are "
        "busy at 2); processor time hardly does. Targets are judged by processor time, and by wall time too where "
        "both are given.",
        "",
        *_steps(step),
        *_events(large),
        *_thresholds(ways),
    ]


def _steps(step: dict[str, Any]) -> list[str]:
    rows = step["rows"]
    dense = [found for name, (_, found) in rows.items() if name.startswith("masks") and "dense" in name]
    worst = Taken(max(r.wall_s for r in dense), max(r.processor_s for r in dense))
    verdict = _verdict(worst.processor_s <= MOST_STEP, worst.wall_s <= MOST_STEP)
    return [
        "## A training step",
        "",
        "Reference network, float32, batch of 4 pairs 96x192; forward, backward, Adam and the hooks of stage one. All "
        f"kinds take turns in one process, {step['rounds']} rounds after a warm-up; medians, and medians of the ratios "
        "within a round. "
        f"Random masks. The aim of at most {MOST_STEP:.2f} times a plain step with dense kernels is {verdict} "
        f"({worst.processor_s:.3f} by processor time, {worst.wall_s:.3f} by wall time). At {100 * SPARSITY:g} % "
        f"sparsity the sparse kernels more than pay for it. {_load(step['load'])}",
        "",
        *table(
            ("step", "wall ms", "processor ms", "ratio (wall)", "ratio (processor)"),
            [
                (name, f"{1e3 * t.wall_s:.0f}", f"{1e3 * t.processor_s:.0f}", f"{r.wall_s:.3f}", f"{r.processor_s:.3f}")
                for name, (t, r) in rows.items()
            ],
        ),
        "",
    ]


def _events(large: list[dict[str, Any]]) -> list[str]:
    weights = large[0]["weights"]
    slowest = Taken(
        max(event["wall_s"] for found in large for event in found["events"]),
        max(event["processor_s"] for found in large for event in found["events"]),
    )
    verdict = _verdict(slowest.processor_s < MOST_EVENT_S, slowest.wall_s < MOST_EVENT_S)
    names = ("all layers alike", f"one layer's gradients times {QUIET:g}: its floor holds it")
    bytes_each = large[0]["scores_bytes"] / weights
    return [
        f"## A pruning event on {grouped(weights)} weights",
        "",
        "Synthetic network of 3x3 convolutions under Adam, random weights and gradients: reading the running scores, "
        f"global selection with floors, setting masks, zeroing weights and moments; {len(large[0]['events'])} events "
        f"from 50 % to 97 % sparsity. The aim of less than {MOST_EVENT_S:g} s is {verdict}: the slowest event took "
        f"{slowest.processor_s:.1f} s of processor time, {slowest.wall_s:.1f} s by the wall.",
        "",
        *table(
            ("network", "wall s (median)", "processor s (median)", "processor s (most)", "memory beside, MB", "load"),
            [_event_row(name, found) for name, found in zip(names, large, strict=True)],
        ),
        "",
        f"Running scores: {bytes_each:g} bytes per weight (one float32): {large[0]['scores_bytes'] / 2**20:.0f} MB, "
        f"and the process grew by {large[0]['scores_mb']:.0f} MB with the first steps. Taking a step's gradients into "
        f"them: {_median(large[0]['steps']).processor_s:.2f} s of processor time; Adam's first step "
        f"{large[0]['adam']['processor_s']:.2f} s.",
        "",
    ]


def _event_row(name: str, found: dict[str, Any]) -> tuple[object, ...]:
    middle = _median(found["events"])
    return (
        name,
        f"{middle.wall_s:.1f}",
        f"{middle.processor_s:.1f}",
        f"{max(event['processor_s'] for event in found['events']):.1f}",
        f"{found['peak_mb'] - found['before_mb']:.0f}",
        f"{found['load'][1]:.1f}",
    )


def _thresholds(ways: dict[str, dict[str, Any]]) -> list[str]:
    sort = ways["torch.sort, stable"]
    same = ways["disparsity"]["digest"] == sort["digest"]
    thresholds = {found["threshold"] for found in ways.values()}
    return [
        f"## The {grouped(COUNT)} highest of {grouped(VALUES)} scores",
        "",
        f"Taylor-like random scores, float32; median of {REPEATS} calls, each way in a process of its own. Memory is "
        f"the peak beside the scores ({4 * VALUES / 2**20:.0f} MB), the mask ({VALUES / 2**20:.0f} MB) included. "
        f"The mask {'equals' if same else 'DIFFERS FROM'} that of a stable sort bit by bit, ties by position "
        f"included; {'all ways find the same threshold' if len(thresholds) == 1 else 'THE THRESHOLDS DIFFER'}. "
        "`kthvalue` and `partition` give a threshold, and keep every value that equals it.",
        "",
        *table(
            ("way", "wall s", "processor s", "memory beside, MB", "kept beyond the count", "load"),
            [_threshold_row(way, found) for way, found in ways.items()],
        ),
    ]


def _threshold_row(way: str, found: dict[str, Any]) -> tuple[object, ...]:
    middle = _median(found["taken"])
    load = f"{found['load'][1]:.1f}"
    times = (f"{middle.wall_s:.1f}", f"{middle.processor_s:.1f}")
    return way, *times, f"{found['beside_mb']:.0f}", found["kept"] - COUNT, load


def _median(taken: list[dict[str, float]]) -> Taken:
    return median([Taken(**one) for one in taken])


def _load(pair: tuple[float, float]) -> str:
    return f"Load average {pair[0]:.1f} before, {pair[1]:.1f} after."


def _verdict(by_processor: bool, by_wall: bool) -> str:
    if by_processor and by_wall:
        return "held"
    return "held by processor time, not by wall time" if by_processor else "MISSED"
