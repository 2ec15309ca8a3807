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
from hardware.markdown import against, grouped, share, table

TITLE = "Cycles against SCALE-Sim 3.0.0"
ARRAY = (16, 16)
MOST_CYCLES = 30_000
PER_CATEGORY = 3
SPARSE_SAMPLES = 3
COLUMNS = ("cycles", "input_reads", "weight_reads", "sum_writes")


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


def render(found: dict[str, Any]) -> list[str]:
    rows = [row for row in found["rows"] if not row["sparse"]]
    layers = len({(row["network"], row["layer"]) for row in rows})
    lines = [
        f"{layers} different convolutions of the zoo, each alone on a map of 12 x 20 or 4 x 6 x 10, array "
        f"{ARRAY[0]} x {ARRAY[1]}, fed through `hwcost/exports/scalesim.py`: plain 2D convolutions with their kernel "
        "and the padded input they read, all others (3D, transposed, dilated) as matrix products, groups one after "
        f"the other. Layers above {MOST_CYCLES:,} weight-stationary cycles are left out.",
        "",
        *table(("dataflow", "cycles", "input reads", "weight reads", "sum writes", "s per layer"), _totals(rows)),
        "",
        *_sparse_lines([row for row in found["rows"] if row["sparse"]]),
        f"Seconds are wall clock on a shared machine, without traces; peak memory {found['peak_mb']:,.0f} MB.",
        _explained([row for row in rows if row["dataflow"] == "os"]),
        "",
        "Each layer, weight-stationary:",
        "",
    ]
    header = ("network", "layer", "shape", "MACs", "cycles", "SCALE-Sim", "input reads", "weight reads", "sums", "s")
    return lines + table(header, [_cells(row) for row in rows if row["dataflow"] == "ws"])


def _totals(rows: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    lines = []
    for dataflow in DATAFLOWS:
        mine = [row for row in rows if row["dataflow"] == dataflow]
        equal = [sum(row["ours"][column] == row["theirs"][column] for row in mine) for column in COLUMNS]
        cells = [
            share(count, len(mine)) + _spread_of(mine, column) for count, column in zip(equal, COLUMNS, strict=True)
        ]
        lines.append((dataflow.upper(), *cells, f"{sum(row['seconds'] for row in mine) / len(mine):.2f}"))
    return lines


def _explained(rows: list[dict[str, Any]]) -> str:
    excess = [row["theirs"]["sum_writes"] - row["ours"]["sum_writes"] for row in rows]
    equal = sum(more == row["counted_twice"] for more, row in zip(excess, rows, strict=True))
    return (
        "Sum writes of the output-stationary array: SCALE-Sim adds rows x columns of every fold, and some lines later "
        "(`systolic_compute_os.py`) rows + columns of the array once more. Every output is written once, so that our "
        f"closed form does not follow; that sum explains the whole difference in {share(equal, len(rows))[2:-2]} cases."
    )


def _spread_of(rows: list[dict[str, Any]], column: str) -> str:
    """The range of multiples where some differ."""
    ratios = [row["theirs"][column] / row["ours"][column] for row in rows]
    return "" if set(ratios) == {1.0} else f", x{min(ratios):.3f} to x{max(ratios):.3f}"


def _sparse_lines(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    equal = sum(row["ours"]["cycles"] == row["theirs"]["cycles"] for row in rows)
    cells = [
        (f"`{row['network']}` `{row['layer']}`", row["shape"], grouped(row["ours"]["cycles"]), _theirs(row, "cycles"))
        for row in rows
    ]
    return [
        f"2:4 weights, weight-stationary: {share(equal, len(rows))}.",
        "",
        *table(("layer", "shape", "cycles", "SCALE-Sim"), cells),
        "",
    ]


def _theirs(row: dict[str, Any], column: str) -> str:
    return f"{row['theirs'][column]:,} ({against(row['ours'][column], row['theirs'][column])})"


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    ours, theirs = row["ours"], row["theirs"]
    return (
        f"`{row['network']}`",
        f"`{row['layer']}`",
        row["shape"],
        grouped(row["macs"]),
        grouped(ours["cycles"]),
        _theirs(row, "cycles"),
        *(against(ours[column], theirs[column]) for column in COLUMNS[1:]),
        f"{row['seconds']:.1f}",
    )
