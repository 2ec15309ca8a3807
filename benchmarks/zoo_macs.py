"""Parameters and multiply-accumulates of every preset, beside what was measured elsewhere on the published code.

    python benchmarks/zoo_macs.py

Eval mode: heads that only training runs have parameters here and no MACs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from harness.benchmark import Benchmark, main
from harness.clock import timed
from harness.rows import Case, Row, of
from harness.tables import Table

from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.stereo.networks import NETWORKS, build_network

SIZES = ((544, 960), (384, 1248))
ELSEWHERE = {
    "stereonet": (0.425378, 64.5, 59.2),
    "stereonet_8x": (0.535, 106, 97),
    "anynet": (0.034629, 1.44, 1.32),
    "anynet_spn": (0.043269, 1.44, 1.32),
    "psmnet_basic": (3.673, 752, 690),
    "psmnet_hourglass": (5.225, 736, 675),
    "gwcnet_g": (6.519, 638, 585),
    "gwcnet_gc": (6.910, 694, 637),
    "mobilestereonet_2d": (2.353, 126, 118),
}
"""Parameters in millions and GMACs of convolutions at both sizes: an independent count on public code."""


def cases() -> Iterator[Case]:
    yield from ({"network": name, "size": list(size)} for name in NETWORKS for size in SIZES)


def measure(case: Case) -> dict[str, Any]:
    network, found = build_network(case["network"]).eval(), []
    taken = timed(lambda: found.append(trace_workload(network, (torch.zeros(1, 3, *case["size"]),) * 2)))
    (workload,) = found
    in_3d = sum(call.dense_macs for call in workload.calls if "3d" in call.kind)
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "gmacs": workload.dense_macs / 1e9,
        "share_3d_percent": 100 * in_3d / workload.dense_macs,
        "processor_s": taken["processor_s"],
    }


def tables(rows: list[Row]) -> Iterator[Table]:
    """Figures of the count elsewhere in brackets."""
    lines = []
    for name in NETWORKS:
        found = [row["found"] for size in SIZES for row in of(rows, network=name, size=list(size))]
        if len(found) == len(SIZES):
            millions, *gmacs = (f"{value:g}" for value in ELSEWHERE[name]) if name in ELSEWHERE else "---"
            counts = [f"{one['gmacs']:.4g} ({other})" for one, other in zip(found, gmacs, strict=True)]
            share = f"{found[0]['share_3d_percent']:.0f} %"
            lines.append((f"`{name}`", f"{found[0]['parameters']:,}", millions, *counts, share))
    header = ("preset", "parameters", "M elsewhere", "GMACs 544x960", "GMACs 384x1248", "3D share")
    yield Table("presets", header, lines)


BENCHMARK = Benchmark(
    name="zoo_macs",
    question="How many parameters and MACs has every preset",
    cases=cases,
    measure=measure,
    tables=tables,
)

if __name__ == "__main__":
    main(BENCHMARK)
