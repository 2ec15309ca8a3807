"""What runs elsewhere against what was trained: parity of every runtime with fake-quantized torch, sizes, and speed.

    DISPARSITY_DATA=... python benchmarks/deployment.py run [--only part=parity]
    python benchmarks/deployment.py table

Parts: `parity` (whole networks on real pairs), `layers` (the integer execution layer by layer), `preset` (every
operator of the zoo at its smallest), `size` (bytes of every export), `speed` (half the channels in 8-bit integers
against the dense network, in turns). Nothing is trained: weights are the built-in reference's and published ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from deploying.layers import by_layer
from deploying.networks import CASES, Deployed, deployed
from deploying.parity import RUNTIMES, parity
from deploying.presets import preset
from deploying.sizes import WRITERS, size
from deploying.speed import SPEEDS, speed
from harness.benchmark import Benchmark, main
from harness.rows import Case, Row, of
from harness.tables import Table, listing

from disparsity.stereo.networks import NETWORKS

KEYS = {
    "parity": ("network", "runtime"),
    "layers": ("network",),
    "preset": ("network",),
    "size": ("network", "format"),
    "speed": ("network", "form", "runtime"),
}


def cases() -> Iterator[Case]:
    for name in CASES:
        integers = not name.endswith("dense")
        for runtime, needs_integers in RUNTIMES.items():
            if integers or not needs_integers:
                yield {"part": "parity", "network": name, "runtime": runtime}
        for kind, writer in WRITERS.items():
            if integers or not writer.integers_only:
                yield {"part": "size", "network": name, "format": kind}
        if integers:
            yield {"part": "layers", "network": name}
    yield from ({"part": "preset", "network": name} for name in NETWORKS)
    yield from (
        {"part": "speed", "network": network, "form": form, "runtime": runtime}
        for network, (form, runtime) in product(("stereonet", "psmnet aggregation"), SPEEDS)
    )


def measure(case: Case) -> dict[str, Any]:
    name = case["network"]
    if case["part"] == "preset":
        return preset(name)
    if case["part"] == "speed":
        return speed(name, case["form"], case["runtime"])
    found: Deployed = deployed(name)
    if case["part"] == "parity":
        return parity(found, case["runtime"])
    return by_layer(found) if case["part"] == "layers" else size(found, case["format"])


def tables(rows: list[Row]) -> Iterator[Table]:
    for part, keys in KEYS.items():
        chosen = of(rows, part=part)
        figures = list(dict.fromkeys(name for row in chosen for name in row["found"]))
        yield listing(part, chosen, keys, figures)


BENCHMARK = Benchmark(
    name="deployment",
    question="Do the exported networks compute what was trained, how large are they, and how fast",
    cases=cases,
    measure=measure,
    tables=tables,
)

if __name__ == "__main__":
    main(BENCHMARK)
