"""Cycles and buffer accesses of the closed forms against SCALE-Sim, layer by layer, fed through our own export."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

from disparsity.hwcost.exports.scalesim import topology
from disparsity.hwcost.models.accesses import ACCESSES
from disparsity.hwcost.models.cycles import DATAFLOWS, MatrixProduct, cycles, dataflow_named, lowered, structured
from hardware.environment import run_peer
from hardware.layers import Sample, different_layers, spread, workload_of

ARRAY = (16, 16)
MOST_CYCLES = 30_000
PER_CATEGORY = 3
SPARSE_SAMPLES = 3


def samples() -> list[Sample]:
    """Layers that SCALE-Sim simulates in seconds."""
    small = [one for one in different_layers() if cycles(one.call, ARRAY, "ws") <= MOST_CYCLES]
    return spread(small, PER_CATEGORY)


def measure(python: Path) -> dict[str, Any]:
    chosen = samples()
    cases = [(sample, dataflow, False) for dataflow in DATAFLOWS for sample in chosen]
    cases += [(sample, "ws", True) for sample in _halvable(chosen)]
    runs = [
        {"topology": _sparse(_topology(sample)) if sparse else _topology(sample), "dataflow": flow, "sparse": sparse}
        for sample, flow, sparse in cases
    ]
    with tempfile.TemporaryDirectory() as folder:
        answer = run_peer(python, "scalesim_cycles", {"array": ARRAY, "runs": runs}, Path(folder))
    rows = [_row(*case, theirs) for case, theirs in zip(cases, answer["results"], strict=True)]
    return {"rows": rows, "peak_mb": answer["peak_mb"]}


def _topology(sample: Sample) -> str:
    return topology(workload_of([sample]))


def _halvable(chosen: list[Sample]) -> list[Sample]:
    """Layers whose sums split into blocks of four, for 2:4 weights."""
    fitting = [one for one in chosen if lowered(one.call).depth % 8 == 0 and one.call.groups == 1]
    return fitting[:SPARSE_SAMPLES]


def _sparse(text: str) -> str:
    """2 of 4 weights kept: SCALE-Sim reads it from one more column."""
    header, *rows = text.splitlines()
    return "\n".join([header + " Sparsity,", *(row + " 2:4," for row in rows)]) + "\n"


def _row(sample: Sample, dataflow: str, sparse: bool, theirs: dict[str, Any]) -> dict[str, Any]:
    product = lowered(sample.call)
    product = structured(product, 2, 4) if sparse else product
    accesses = ACCESSES[dataflow](product, *ARRAY)
    ours = {
        "cycles": product.groups * dataflow_named(dataflow)(product, *ARRAY),
        "input_reads": accesses.input_reads,
        "weight_reads": accesses.weight_reads,
        "sum_writes": accesses.partial_writes,
    }
    return {
        "network": sample.network,
        "layer": sample.layer,
        "shape": sample.shape,
        "macs": sample.call.dense_macs,
        "dataflow": dataflow,
        "sparse": sparse,
        "ours": ours,
        "counted_twice": _folds(product) * sum(ARRAY),
        "theirs": {key: value for key, value in theirs.items() if not key.endswith("seconds")},
        "seconds": theirs["seconds"],
    }


def _folds(product: MatrixProduct) -> int:
    """Of an output-stationary array."""
    return product.groups * math.ceil(product.rows / ARRAY[0]) * math.ceil(product.columns / ARRAY[1])
