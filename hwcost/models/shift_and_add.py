"""Shift-and-add multipliers: cost of a fully unrolled network with constant weights in the wiring.

A constant is multiplied by as many shifted copies as its canonical signed form has digits; shifts cost nothing.
Source: Avizienis, Signed-digit number representations, IRE 1961; the form has ``popcount(n xor 3n)`` digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer, owner
from disparsity.hwcost.formats.bits import Codes
from disparsity.hwcost.models.quantities import Column, Number, Percent, Row, lone_row
from disparsity.hwcost.models.storage import weight_rows
from disparsity.hwcost.tracing.layer_call import LayerCall


@dataclass(frozen=True, kw_only=True)
class ShiftAdds:
    """One output position of a layer, fully unrolled.

    Attributes:
        multiplier_adders: inside the constant multipliers.
        sum_adders: that add the products of a filter: one fewer than it has weights.
        shifts: products that are a shifted input and nothing more (powers of two, 1 and -1 aside).
        shift_only_fraction: of the non-zero weights, those that need no adder of their own, 0..1.

    """

    multiplier_adders: int
    sum_adders: int
    shifts: int
    shift_only_fraction: float


@dataclass(frozen=True, kw_only=True)
class MultipliersSection:
    """Adders and shifts of all integer layers, each once; `adders_per_weight` is of multipliers per non-zero weight."""

    multiplier_adders: int | None
    sum_adders: int | None
    shifts: int | None
    shift_only_percent: Percent | None
    adders_per_weight: Number | None

    def rows(self) -> list[Row]:
        """Adders, and weights that need none."""
        group = "constant multipliers, fully unrolled"
        return [
            lone_row(group, "adders in multipliers", "count", self.multiplier_adders),
            lone_row(group, "adders of sums", "count", self.sum_adders),
            lone_row(group, "adders per non-zero weight", "exact", self.adders_per_weight),
            lone_row(group, "weights without adder", "percent", self.shift_only_percent),
        ]


@dataclass(frozen=True, kw_only=True)
class MultiplierColumns:
    """Adders and shifts of one layer, with its first call."""

    multiplier_adders: Annotated[
        int | None,
        Column(
            title="adders in multipliers",
            formula="Σ over weights of canonical signed digits − 1, digits = popcount(n xor 3n); 0 for 0 and ±2^k",
            source="Avizienis, IRE 1961",
        ),
    ] = None
    sum_adders: Annotated[
        int | None, Column(title="adders of sums", formula="Σ over filters of non-zero weights − 1")
    ] = None
    shifts: Annotated[
        int | None,
        Column(title="shifts alone", formula="weights ±2^k with k > 0: a shifted input and nothing more"),
    ] = None
    shift_only_percent: Annotated[
        Percent | None,
        Column(title="no adder", unit="% of non-zero", formula="100 × non-zero weights ±2^k / non-zero weights"),
    ] = None


def multipliers_section(counts: Mapping[str, ShiftAdds], calls: Sequence[LayerCall]) -> MultipliersSection:
    """Totals of the integer layers; None where there is none."""
    if not counts:
        return MultipliersSection(
            multiplier_adders=None, sum_adders=None, shifts=None, shift_only_percent=None, adders_per_weight=None
        )
    nonzero = {call.name: call.nnz for call in calls if call.call == 0 and call.name in counts}
    weights = sum(nonzero.values())
    shifted = sum(counts[name].shift_only_fraction * nnz for name, nnz in nonzero.items())
    adders = sum(each.multiplier_adders for each in counts.values())
    return MultipliersSection(
        multiplier_adders=adders,
        sum_adders=sum(each.sum_adders for each in counts.values()),
        shifts=sum(each.shifts for each in counts.values()),
        shift_only_percent=100 * shifted / weights if weights else None,
        adders_per_weight=adders / weights if weights else None,
    )


def multiplier_columns(call: LayerCall, counts: Mapping[str, ShiftAdds]) -> MultiplierColumns:
    """The columns of a call."""
    found = counts.get(call.name) if call.call == 0 else None
    if found is None:
        return MultiplierColumns()
    return MultiplierColumns(
        multiplier_adders=found.multiplier_adders,
        sum_adders=found.sum_adders,
        shifts=found.shifts,
        shift_only_percent=100 * found.shift_only_fraction,
    )


def shift_add_counts(layers: Sequence[PackedLayer | FloatLayer] | None) -> dict[str, ShiftAdds]:
    """The cost of every layer with integer weights, by name; weights in factors are no wires."""
    return {
        layer.name: shift_adds(weight_rows(layer.codes, layer.output_axis))
        for layer in layers or ()
        if isinstance(layer, PackedLayer) and owner(layer.name) == layer.name
    }


def shift_adds(codes: Codes) -> ShiftAdds:
    """The cost of ``[filters, ...]`` integer weights; ternary and power-of-two weights need sum adders only."""
    nonzero = codes.reshape(len(codes), -1) != 0
    alive = codes[codes != 0]
    adders = csd_adders(alive)
    return ShiftAdds(
        multiplier_adders=int(adders.sum()),
        sum_adders=int(np.maximum(nonzero.sum(axis=1) - 1, 0).sum()),
        shifts=int(((adders == 0) & (np.abs(alive) > 1)).sum()),
        shift_only_fraction=float((adders == 0).mean()) if alive.size else 1.0,
    )


def csd_adders(codes: Codes) -> Codes:
    """Adders of a multiplier by each constant: non-zero digits of its canonical signed form, minus one.

    0 and powers of two need none. A number's canonical form has ``popcount(n xor 3n)`` non-zero digits.
    """
    sizes = np.abs(codes.astype(np.int64))
    digits = np.bitwise_count(sizes ^ (3 * sizes)).astype(np.int64)
    return np.maximum(digits - 1, 0)
