"""Bit operations (BOPs) by three published definitions; they differ by half, so every figure names its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

from disparsity.hwcost.models.quantities import Column, Ends, Number, Reduction, Row, ends_row, reduction
from disparsity.hwcost.tracing.layer_call import LayerCall, Workload

REDUCTION_DEFINITION = "mac_product"
"""The definition behind `operations.reduction_percent.bops`."""


@dataclass(frozen=True, kw_only=True)
class OperationReductions:
    """Percent saved of the multiply-accumulates, and of the BOPs by `REDUCTION_DEFINITION`."""

    macs: Reduction | None
    bops: Reduction | None


@dataclass(frozen=True, kw_only=True)
class OperationsSection:
    """Multiply-accumulates and bit operations of both networks; `bops` by definition."""

    dense_macs: int | None
    effectual_macs: int | None
    bops: dict[str, Ends]
    reduction_percent: OperationReductions

    def rows(self) -> list[Row]:
        """MACs, and BOPs by every definition."""
        macs = Ends(dense=self.dense_macs, compressed=self.effectual_macs)
        return [
            ends_row("operations", "MACs", "count", macs, self.reduction_percent.macs),
            *(ends_row("operations", f"BOPs ({name})", "count", ends) for name, ends in self.bops.items()),
        ]


@dataclass(frozen=True, kw_only=True)
class OperationColumns:
    """Products of one call."""

    dense_macs: Annotated[
        int | None,
        Column(title="dense MACs", formula="weights × weight uses, plus the products of parts without weights"),
    ] = None
    effectual_macs: Annotated[
        int | None,
        Column(title="effectual MACs", formula="non-zero × weight uses, plus the products of parts without weights"),
    ] = None
    bops: Annotated[
        Number | None,
        Column(
            title="BOPs",
            formula="effectual MACs × weight bits × activation bits",
            source="QONNX inference cost; van Baalen et al., Bayesian Bits, NeurIPS 2020",
        ),
    ] = None


def operations_section(dense: Workload, compressed: Workload) -> OperationsSection:
    """Totals of both networks."""
    before, after = total_bops(dense.calls), total_bops(compressed.calls)
    bops = {name: Ends(dense=before[name], compressed=after[name]) for name in BOPS}
    saved = OperationReductions(
        macs=reduction(dense.dense_macs, compressed.effectual_macs), bops=bops[REDUCTION_DEFINITION].reduction_percent
    )
    return OperationsSection(
        dense_macs=dense.dense_macs, effectual_macs=compressed.effectual_macs, bops=bops, reduction_percent=saved
    )


def operation_columns(call: LayerCall) -> OperationColumns:
    """The columns of a call, with weights or without."""
    return OperationColumns(dense_macs=call.dense_macs, effectual_macs=call.effectual_macs, bops=mac_product(call))


def mac_product(call: LayerCall) -> float:
    """``MAC_effectual b_w b_a``: products whose weight is zero cost nothing.

    Source: the count of QONNX's inference cost and of van Baalen et al., Bayesian Bits, NeurIPS 2020.
    """
    return call.effectual_macs * call.weight_bits * call.activation_bits


def uniq(call: LayerCall) -> float:
    """``MAC (b_w b_a + b_w + b_a + log2 fan_in)``: the accumulation counts, zeros are not skipped.

    Source: Baskin et al., UNIQ, ACM TOCS 2021, section 4.2.
    """
    return call.dense_macs * (call.weight_bits * call.activation_bits + _accumulation(call))


def ps_and_qs(call: LayerCall) -> float:
    """``MAC ((1 - sparsity) b_w b_a + b_w + b_a + log2 fan_in)``: zeros skip the product, not the sum.

    Source: Hawks et al., Ps and Qs, Frontiers in AI 2021, equation 3.
    """
    return call.effectual_macs * call.weight_bits * call.activation_bits + call.dense_macs * _accumulation(call)


BOPS: dict[str, Callable[[LayerCall], float]] = {"mac_product": mac_product, "uniq": uniq, "ps_and_qs": ps_and_qs}


def total_bops(calls: Iterable[LayerCall]) -> dict[str, float]:
    """Network totals by definition."""
    calls = list(calls)
    return {name: sum(map(definition, calls)) for name, definition in BOPS.items()}


def _accumulation(call: LayerCall) -> float:
    return call.weight_bits + call.activation_bits + math.log2(max(call.fan_in, 1))
