"""How time and memory grow: scoring, masking, packing and cost with weights; listing, drawing and caching with samples.

    python benchmarks/growth.py [--minutes 30]        resumes; one thread, every point in a process of its own

Kinds of weights: `scoring` (a step's gradients into running Taylor scores), `masking` (a pruning event to 97 %),
`packing` (`compressed.h5` at 97 % zeros and 4 bits), `cost` (its cost report). Kinds of samples: `listing` (opening a
KITTI tree of empty files), `drawing` (64 batches of 4), `caching` (every pair of 8x16 pixels once), `pass` (again).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from growing import samples, weights
from harness.benchmark import Benchmark, main
from harness.figures import lines
from harness.rows import Case, Row, of, values
from harness.tables import Table, listing
from matplotlib.figure import Figure

SIZES = {"weights": (10**5, 10**6, 10**7, 10**8), "samples": (10**2, 10**3, 10**4, 10**5)}
KINDS = {**dict.fromkeys(weights.KINDS, "weights"), **dict.fromkeys(samples.KINDS, "samples")}
FIGURES = ("size", "processor_s", "wall_s", "memory_mb", "load")


def cases() -> Iterator[Case]:
    yield from ({"kind": kind, "wanted": size} for kind, of_what in KINDS.items() for size in SIZES[of_what])


def measure(case: Case) -> dict[str, Any]:
    part = weights if KINDS[case["kind"]] == "weights" else samples
    return part.measure(case["kind"], case["wanted"])


def exponent(sizes: list[float], found: list[float]) -> float | None:
    """The slope of a straight line through the logarithms: 1 is linear. None without two positive values."""
    pairs = [(math.log(s), math.log(v)) for s, v in zip(sizes, found, strict=True) if v > 0]
    return float(np.polyfit(*np.transpose(pairs), deg=1)[0]) if len(pairs) > 1 else None


def tables(rows: list[Row]) -> Iterator[Table]:
    """Exponents of all points and of the last two, and every point."""
    summary = []
    for kind, of_what in KINDS.items():
        own = of(rows, kind=kind)
        sizes, seconds, memory = (values(own, figure) for figure in ("size", "processor_s", "memory_mb"))
        slopes = (exponent(sizes, seconds), exponent(sizes[-2:], seconds[-2:]), exponent(sizes, memory))
        summary.append((kind, of_what, *("" if slope is None else f"{slope:.2f}" for slope in slopes)))
    header = ("what", "of", "exponent of time", "of the last two", "exponent of memory")
    yield Table("exponents", header, summary)
    yield listing("points", rows, ("kind",), FIGURES)


def figure(rows: list[Row]) -> Figure:
    return lines(rows, "wanted", "processor_s", "kind", log="xy")


BENCHMARK = Benchmark(
    name="growth",
    question="How time and memory grow with weights and with samples",
    cases=cases,
    measure=measure,
    tables=tables,
    figure=figure,
    apart=True,
)

if __name__ == "__main__":
    main(BENCHMARK)
