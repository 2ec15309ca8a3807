"""Cycles of a systolic array in closed form, equal to a cycle-accurate simulator to the cycle.

A layer is lowered to a matrix product ``[Sr, T] x [T, Sc]``: output pixels, products per output, output channels.
A plain array skips nothing: zeros in the weights change neither cycles nor utilization, so a compressed layer
takes as long as a dense one. Only N:M sparsity shortens the product, by N/M, with weights held in place.
Source: Samajdar et al., SCALE-Sim, 2018, section 3, checked against version 3.0.0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Annotated

from disparsity.base.errors import InputError
from disparsity.hwcost.models.quantities import UNKNOWN, Column, Ends, Number, Row, Size, ends_row
from disparsity.hwcost.tracing.layer_call import LayerCall, Workload
from disparsity.registries import check_name, load_all

SCALESIM = "Samajdar et al., SCALE-Sim, 2018, section 3"


@dataclass(frozen=True, kw_only=True)
class MatrixProduct:
    """A layer as `groups` matrix products of one shape, done one after the other."""

    rows: int
    depth: int
    columns: int
    groups: int = 1


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Cycles of a network, and the fraction of the array's multipliers that they keep busy (0..1)."""

    cycles: int
    utilization: float


@dataclass(frozen=True, kw_only=True)
class LatencySection:
    """Cycles of the plain array, which skips nothing and never waits for memory; `utilization` is 0..1."""

    array: Size | None
    dataflow: str | None
    cycles: Ends
    utilization: Number | None

    def rows(self) -> list[Row]:
        """Cycles, and how busy the compressed network keeps the multipliers."""
        array = "" if self.array is None else ", {}×{} array, ".format(*self.array) + (self.dataflow or UNKNOWN)
        group = f"latency{array}"
        return [
            ends_row(group, "cycles", "count", self.cycles),
            Row(group=group, label="utilization", unit="fraction", after=self.utilization, change="none"),
        ]


@dataclass(frozen=True, kw_only=True)
class CycleColumns:
    """Cycles of one call with weights on the plain array."""

    cycles: Annotated[
        int | None,
        Column(
            title="cycles",
            formula="of the plain array, nothing skipped, memory not waited for; as matrix product Sr × T × Sc on "
            "R × C: os ⌈Sr/R⌉⌈Sc/C⌉(T+R+C−2)−1, ws ⌈T/R⌉⌈Sc/C⌉(Sr+2R+C−2)−1, is ⌈T/R⌉⌈Sr/C⌉(Sc+2R+C−2)−1",
            source=SCALESIM,
        ),
    ] = None
    utilization: Annotated[
        Number | None, Column(title="utilization", formula="dense MACs / (R × C × cycles), 0..1")
    ] = None


def latency_section(dense: Workload, compressed: Workload, array: Size, dataflow: str) -> LatencySection:
    """Cycles of both networks."""
    before, after = (network_latency(each.calls, array, dataflow) for each in (dense, compressed))
    return LatencySection(
        array=array,
        dataflow=dataflow,
        cycles=Ends(dense=before.cycles, compressed=after.cycles),
        utilization=after.utilization,
    )


def cycle_columns(call: LayerCall, array: Size, dataflow: str) -> CycleColumns:
    """The columns of a call; None for a part without weights."""
    if not call.weight_count:
        return CycleColumns()
    return CycleColumns(
        cycles=cycles(call, array, dataflow), utilization=network_latency([call], array, dataflow).utilization
    )


def lowered(call: LayerCall) -> MatrixProduct:
    """The matrix product of a call; a transposed convolution multiplies first and adds up overlaps after."""
    filters = call.weight_count // _depth(call) // call.groups
    return MatrixProduct(rows=call.weight_uses, depth=_depth(call), columns=filters, groups=call.groups)


def structured(product: MatrixProduct, kept: int, block: int) -> MatrixProduct:
    """The product of N:M weights: of every `block` products only `kept` are done, so that the depth shrinks."""
    return replace(product, depth=math.ceil(product.depth * kept / block))


def output_stationary(product: MatrixProduct, rows: int, columns: int) -> int:
    """Every processing element finishes one output."""
    folds = math.ceil(product.rows / rows) * math.ceil(product.columns / columns)
    return folds * (product.depth + rows + columns - 2) - 1


def weight_stationary(product: MatrixProduct, rows: int, columns: int) -> int:
    """Every processing element keeps one weight."""
    folds = math.ceil(product.depth / rows) * math.ceil(product.columns / columns)
    return folds * (product.rows + 2 * rows + columns - 2) - 1


def input_stationary(product: MatrixProduct, rows: int, columns: int) -> int:
    """Every processing element keeps one input."""
    folds = math.ceil(product.depth / rows) * math.ceil(product.rows / columns)
    return folds * (product.columns + 2 * rows + columns - 2) - 1


DATAFLOWS: dict[str, Callable[[MatrixProduct, int, int], int]] = load_all("dataflows")


def cycles(call: LayerCall, array: Size, dataflow: str) -> int:
    """Cycles of one call; 0 for a part without weights, which the array does not run."""
    if not call.weight_count:
        return 0
    product = lowered(call)
    return product.groups * dataflow_named(dataflow)(product, *array)


def network_latency(calls: Iterable[LayerCall], array: Size, dataflow: str) -> Latency:
    """Cycles of all calls in sequence, and busy multipliers over all multipliers and cycles.

    Raises:
        InputError: an unknown dataflow, or an array without a row or a column.

    """
    if min(array) < 1:
        raise InputError("the array has no processing element", found=f"{array[0]}x{array[1]}")
    calls = [call for call in calls if call.weight_count]
    total = sum(cycles(call, array, dataflow) for call in calls)
    work = sum(call.dense_macs for call in calls)
    return Latency(cycles=total, utilization=work / (array[0] * array[1] * total) if total else 0.0)


def dataflow_named(name: str) -> Callable[[MatrixProduct, int, int], int]:
    """The formula of a dataflow.

    Raises:
        InputError: no dataflow has this name.

    """
    check_name(name, DATAFLOWS, "dataflows")
    return DATAFLOWS[name]


def _depth(call: LayerCall) -> int:
    """Products per output of the lowered matrix product: input channels per group, times the kernel."""
    if call.kind.startswith("ConvTranspose"):
        return call.input_shape[-len(call.kernel) - 1] // call.groups
    return call.fan_in
