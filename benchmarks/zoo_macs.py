"""Parameters and multiply-accumulates of every preset, beside what was measured elsewhere on the published code.

`python benchmarks/zoo_macs.py` writes results/zoo_macs.md.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from provenance import provenance

from disparsity.base.atomic_io import write_text
from disparsity.hwcost.tracing.layer_call import Workload
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.stereo.networks import NETWORKS, build_network

SIZES = ((544, 960), (384, 1248))
LIMIT_PERCENT = 0.5
OUT = Path(__file__).parent / "results" / "zoo_macs.md"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A row of the zoo table: what an independent count on the networks' public code gave.

    Attributes:
        parameters: in millions, as printed there.
        gmacs: at `SIZES`, as printed there, of convolutions alone.

    """

    parameters: float
    gmacs: tuple[float, float]


REFERENCES = {
    "stereonet": Reference(parameters=0.425378, gmacs=(64.5, 59.2)),
    "stereonet_8x": Reference(parameters=0.535, gmacs=(106, 97)),
    "anynet": Reference(parameters=0.034629, gmacs=(1.44, 1.32)),
    "anynet_spn": Reference(parameters=0.043269, gmacs=(1.44, 1.32)),
    "psmnet_basic": Reference(parameters=3.673, gmacs=(752, 690)),
    "psmnet_hourglass": Reference(parameters=5.225, gmacs=(736, 675)),
    "gwcnet_g": Reference(parameters=6.519, gmacs=(638, 585)),
    "gwcnet_gc": Reference(parameters=6.910, gmacs=(694, 637)),
    "mobilestereonet_2d": Reference(parameters=2.353, gmacs=(126, 118)),
}

EXPLANATIONS = {
    "stereonet_8x": "another network: the figures in brackets are of a public variant with 0.535 M parameters "
    "(TinyHITNet's StereoNet), ours is the published 16x network with one halving less. The parts of ours:",
    "anynet": "the figures in brackets include the propagation refinement (`anynet_spn`, which agrees); without it "
    "there is nothing to compare with. The parts of ours:",
    "gcnet": "no count to compare with. The layers of the paper's table 1 have 2.85 M parameters (tests add them up); "
    "3.5 M, as GC-Net is usually quoted, cannot be got from them. The parts:",
}
"""Differences beyond the limit, by preset; each is followed by the MACs of its parts."""


def printed_digits(value: float) -> float:
    """Half a unit of the last digit of a printed figure: a difference within it is no difference."""
    text = f"{value:g}"
    decimals = len(text.partition(".")[2])
    return 0.5 * 10.0**-decimals


def difference_percent(found: float, printed: float) -> float:
    """How far a figure is from a printed one beyond that one's rounding, in percent."""
    beyond = max(0.0, abs(found - printed) - printed_digits(printed))
    return 100 * beyond / printed


def macs_by_part(workload: Workload) -> list[tuple[str, str, float]]:
    """(first two parts of the name, kind, GMACs) in order of execution."""
    totals: Counter[tuple[str, str]] = Counter()
    for call in workload.calls:
        totals[".".join(call.name.split(".")[:2]), call.kind] += call.dense_macs
    return [(part, kind, total / 1e9) for (part, kind), total in totals.items() if total]


def row(name: str, workloads: list[Workload], parameters: int, seconds: float) -> tuple[str, bool]:
    """The preset's line, and whether it needs an explanation."""
    found = [workload.dense_macs / 1e9 for workload in workloads]
    cells = [f"`{name}`", f"{parameters:,}"]
    reference = REFERENCES.get(name)
    worst = 0.0
    if reference:
        worst = max(difference_percent(*pair) for pair in zip(found, reference.gmacs, strict=True))
        cells += [f"{reference.parameters:g}"]
        cells += [f"{value:.4g} ({printed:g})" for value, printed in zip(found, reference.gmacs, strict=True)]
        cells += [f"{worst:.2f} %"]
    else:
        cells += ["-", *(f"{value:.4g} (-)" for value in found), "-"]
    share = sum(call.dense_macs for call in workloads[0].calls if "3d" in call.kind) / workloads[0].dense_macs
    cells += [f"{100 * share:.0f} %", f"{seconds:.1f}"]
    return f"| {' | '.join(cells)} |", worst > LIMIT_PERCENT


def main() -> None:
    """Write the file."""
    torch.set_num_threads(1)
    lines, details = [], []
    for name in NETWORKS:
        print(name, file=sys.stderr)
        network, start = build_network(name).eval(), time.process_time()
        workloads = [trace_workload(network, (torch.zeros(1, 3, *size),) * 2) for size in SIZES]
        seconds = time.process_time() - start
        parameters = sum(parameter.numel() for parameter in network.parameters())
        line, unexplained = row(name, workloads, parameters, seconds)
        lines.append(line)
        if name in EXPLANATIONS or unexplained:
            reason = EXPLANATIONS.get(name, "**not explained yet**: MACs part by part.")
            table = ["| part | kind | GMACs at 544x960 |", "|---|---|---|"]
            table += [f"| `{part}` | {kind} | {total:.4g} |" for part, kind, total in macs_by_part(workloads[0])]
            details += [f"\n## {name}\n", f"{reason}\n", *table]
    head = [
        "# Parameters and MACs of every preset",
        "",
        "In brackets: counted independently on the networks' public code, convolutions alone, as far as it was. The "
        "difference is the worse of both sizes beyond the rounding of the printed figure. Eval mode: heads that only "
        "training runs have parameters here and no MACs. Seconds: processor time of both traces (shapes only).",
        "",
        "| preset | parameters | M elsewhere | GMACs 544x960 | GMACs 384x1248 | difference | 3D share | s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    write_text(OUT, "\n".join([*head, *lines, *details, "", *provenance("python benchmarks/zoo_macs.py")]) + "\n")


if __name__ == "__main__":
    main()
