"""MACs of the tracer against `torch.utils.flop_counter`, for every preset at both sizes."""

from __future__ import annotations

import copy
import time
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.stereo.networks import NETWORKS, build_network
from hardware.markdown import grouped, share, table

TITLE = "MACs against torch.utils.flop_counter"
SIZES = ((384, 1248), (544, 960))


def measure() -> dict[str, Any]:
    return {"rows": [_row(name, size) for name in NETWORKS for size in SIZES]}


def _row(name: str, size: tuple[int, int]) -> dict[str, Any]:
    network, start = build_network(name).eval(), time.perf_counter()
    workload = trace_workload(network, (torch.zeros(1, 3, *size),) * 2)
    seconds = time.perf_counter() - start
    counted = _flops(network, size)
    return {
        "preset": name,
        "size": f"{size[0]}x{size[1]}",
        "ours": workload.dense_macs,
        "flop_counter": sum(counted.values()) / 2,
        "convolution": counted.get("aten.convolution", 0) / 2,
        "matrix_products": sum(value for key, value in counted.items() if key != "aten.convolution") / 2,
        "calls": sum(1 for call in workload.calls if call.weight_count),
        "seconds": seconds,
    }


def _flops(network: nn.Module, size: tuple[int, int]) -> dict[str, int]:
    """By operation, of a run on the meta device: nothing is computed."""
    shadow = copy.deepcopy(network).to("meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        shadow(*(torch.zeros(1, 3, *size, device="meta") for _ in range(2)))
    return {str(operation): count for operation, count in counter.get_flop_counts()["Global"].items()}


def render(found: dict[str, Any]) -> list[str]:
    rows = found["rows"]
    equal = sum(row["ours"] == row["flop_counter"] for row in rows)
    lines = [
        f"{share(equal, len(rows))}, to the single MAC. flop_counter counts two operations per MAC; its figures are "
        "halved. Both count products with padding zeros, and a transposed convolution by its inputs (every input "
        "times every tap), so that what its padding crops is counted. The products of correlation, group-wise and "
        "difference volumes are elementwise operations for both, not MACs (the report lists them as such). The "
        "column of matrix products is the soft-argmin, which ours counts as `weightless_macs`. Seconds: our trace.",
        "",
    ]
    cells = [
        (
            f"`{row['preset']}`",
            row["size"],
            row["calls"],
            grouped(row["ours"]),
            grouped(row["flop_counter"]),
            grouped(row["matrix_products"]),
            grouped(row["ours"] - row["flop_counter"]),
            f"{row['seconds']:.1f}",
        )
        for row in rows
    ]
    header = ("preset", "size", "layer calls", "MACs", "flop_counter / 2", "of it matrix products", "difference", "s")
    return lines + table(header, cells)
