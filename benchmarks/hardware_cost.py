"""Our cost model beside independent counts: QONNX (MACs, BOPs, weight bits), SCALE-Sim (cycles), ZigZag (DRAM energy).

    QONNX_PYTHON=... SCALESIM_PYTHON=... ZIGZAG_PYTHON=... python benchmarks/hardware_cost.py

Each variable names the interpreter of an environment with that peer; peers without one are left out:

    python -m venv qonnx    && qonnx/bin/pip install qonnx==1.0.0
    python -m venv scalesim && scalesim/bin/pip install scalesim==3.0.0 "numpy<2" "pandas<3"
    python -m venv zigzag   && zigzag/bin/pip install zigzag-dse==3.9.1 six

MACs against `torch.utils.flop_counter` are a test of every preset; the rows `flops` and `speed` are of earlier scripts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hardware import qonnx, scalesim, zigzag
from harness.benchmark import Benchmark, main
from harness.rows import Case, Row, of
from harness.tables import Table, against, grouped

PEERS = {"qonnx": qonnx.measure, "scalesim": scalesim.measure, "zigzag": zigzag.measure}


def cases() -> Iterator[Case]:
    yield from ({"peer": name} for name in PEERS if f"{name.upper()}_PYTHON" in os.environ)


def measure(case: Case) -> dict[str, Any]:
    return PEERS[case["peer"]](Path(os.environ[f"{case['peer'].upper()}_PYTHON"]).absolute())


def tables(rows: list[Row]) -> Iterator[Table]:
    """Our figures, and the peer's as `=` or as a multiple of ours."""
    for name in ("scalesim", "zigzag"):
        for row in of(rows, peer=name):
            found = [one for one in row["found"]["rows"] if not one.get("error")]
            figures = list(found[0]["theirs"])
            header = ("network", "layer", "shape", "way", *figures)
            yield Table(name, header, [_line(one, figures) for one in found])
    for row in of(rows, peer="qonnx"):
        names = ("network", "convolutions", "equal", "transposed calls", "unsupported there")
        keys = ("network", "convolutions", "equal", "skipped_calls", "unsupported")
        header = (*names, *qonnx.FIGURES)
        yield Table("qonnx", header, [(*(one[key] for key in keys), *_sums(one)) for one in row["found"]["rows"]])


def _line(one: dict[str, Any], figures: list[str]) -> tuple[object, ...]:
    way = one.get("way") or one["dataflow"] + (", 2:4" if one["sparse"] else "")
    return one["network"], one["layer"], one["shape"], way, *(_pair(one, figure) for figure in figures)


def _pair(one: dict[str, Any], figure: str) -> str:
    theirs = one["theirs"][figure]
    if figure not in one["ours"]:
        return grouped(theirs)
    return f"{grouped(one['ours'][figure])} ({against(one['ours'][figure], theirs)})"


def _sums(one: dict[str, Any]) -> list[str]:
    pairs = zip(one["ours"], one["theirs"], strict=True)
    return [f"{grouped(ours)} ({against(ours, theirs)})" for ours, theirs in pairs]


BENCHMARK = Benchmark(
    name="hardware_cost",
    question="Does the cost model agree with independent counts",
    cases=cases,
    measure=measure,
    tables=tables,
)

if __name__ == "__main__":
    main(BENCHMARK)
